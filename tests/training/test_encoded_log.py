"""Encoding users and videos once gives what encoding every joined impression gives, bit for bit."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import training.dataset
import training.joined
from training.config import RunConfig, parse
from training.dataset import Preparation, prepare
from training.encoded_log import encode_chunk
from training.splits import NAMES

ROWS = 90
PAST = [{"video_id": "v1", "like": 1.0}, {"video_id": "v2", "like": None}, {"video_id": "gone", "like": 0.0}]
FEATURES: list[dict[str, Any]] = [
    {"name": "user_id", "kind": "category", "side": "user"},
    {"name": "video_id", "kind": "category", "side": "candidate", "min_count": 2},
    {"name": "age", "kind": "number", "side": "user", "bins": 4},
    {"name": "author", "kind": "category", "side": "candidate"},
    {"name": "tags", "kind": "categories", "side": "candidate", "length": 2},
    {"name": "title", "kind": "vector", "side": "candidate", "length": 2},
    {"name": "watching", "kind": "category", "side": "query", "shares": "video_id"},
    {"name": "watching_tags", "kind": "categories", "side": "query", "shares": "tags", "length": 1},
    {"name": "hour", "kind": "category", "side": "context"},
    {"name": "device", "kind": "category", "side": "context"},
    {"name": "hour_before", "kind": "category", "side": "context", "shares": "hour"},
    {"name": "recent", "kind": "history", "side": "user", "of": "video_id", "outcomes": ["like"], "length": 3},
    {"name": "same_author", "kind": "match", "of": "recent", "on": "author"},
    {"name": "same_tag", "kind": "match", "of": "recent", "on": "tags"},
]


def write_tables(folder: Path) -> None:
    """Ids that are null, that only the log has, and that only the tables have."""
    pl.DataFrame(
        {
            "user_id": [None if row % 9 == 5 else f"u{row % 8}" for row in range(ROWS)],
            "video_id": [None if row % 13 == 5 else f"v{row % 11}" for row in range(ROWS)],
            "watching": [None if row % 7 == 5 else f"v{row % 17}" for row in range(ROWS)],
            "hour": [None if row % 11 == 5 else row % 24 if row < 70 else 100 + row for row in range(ROWS)],
            "device": [
                None if row % 11 == 5 else ["tv", "", "phone"][row % 3] if row < 70 else "" if row % 2 else "new"
                for row in range(ROWS)
            ],
            "hour_before": [str(row % 30) for row in range(ROWS)],
            "day": range(ROWS),
            "click": [row % 3 == 0 for row in range(ROWS)],
        }
    ).write_parquet(folder / "logs.parquet")
    pl.DataFrame(
        {
            "user_id": ["u1", "new", "u2", None, "u3", "u4"],
            "age": [3.0, 1.0, None, 9.0, 7.0, 5.0],
            "recent": [PAST, [], PAST[:1], PAST, None, PAST * 2],
        }
    ).write_parquet(folder / "users.parquet")
    pl.DataFrame(
        {
            "video_id": [f"v{at}" for at in range(1, 9)],
            "author": ["a", "b", None, "a", "c", "b", "", "a"],
            "tags": [["x"], ["x", "y", "z"], [], None, ["y"], ["z", "x"], [""], ["w"]],
            "title": [[0.5, 1.0], None, [1.5, 2.0], [0.0, 0.0], None, [1.0, 1.0], [2.0, 3.0], [4.0, 5.0]],
        }
    ).write_parquet(folder / "videos.parquet")


def config(folder: Path) -> RunConfig:
    names = {"path": "logs", "users": "users", "videos": "videos"}
    reader = {"kind": "impressions"} | {key: str(folder / f"{name}.parquet") for key, name in names.items()}
    raw = {
        "name": "t",
        "data": {
            "reader": reader,
            "split": {"by": "time", "column": "day", "valid_from": 60, "test_from": 75},
            "keys": {"query_video": "watching"},
        },
        "features": FEATURES,
        "tasks": [{"name": "click", "group": "engagement", "kind": "binary", "label": "click"}],
        "policies": {"p": {"combination": "weighted_sum", "weights": {"click": 1.0}}},
    }
    return parse(raw, {}, "config")


@pytest.mark.parametrize("logged", [[], ["age", "recent"], ["author", "tags"]], ids=["", "of users", "of videos"])
def test_arrays_are_those_of_joined_impressions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: list[str]
) -> None:
    """Whatever the impressions have themselves, and however they are cut into batches and chunks."""
    write_tables(tmp_path)
    run = config(tmp_path)
    whole = pl.concat(Preparation(run.read(), run.feature_schema, run.tasks, run.data.split).joined().chunks(ROWS))
    logs = pl.read_parquet(tmp_path / "logs.parquet").with_columns(whole[name] for name in logged)
    logs.write_parquet(tmp_path / "logs.parquet")
    monkeypatch.setattr(training.joined, "READ_ROWS", 32)
    monkeypatch.setattr(training.dataset, "CHUNK_ROWS", 7)
    preparation = Preparation(run.read(), run.feature_schema, run.tasks, run.data.split)
    dataset = prepare(preparation, tmp_path / "encoded", lambda *_: None)
    expected = encode_chunk(dataset.encoder, pl.concat(preparation.joined().chunks(ROWS)), "t")
    for name in dataset.splits["train"].arrays:
        found = np.concatenate([dataset.splits[split].arrays[name] for split in NAMES])
        assert found.dtype == expected[name].dtype
        assert found.tobytes() == expected[name].tobytes(), name
