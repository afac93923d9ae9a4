"""Tables that are small or strange in one way: trained, published, and ranked with as any other."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from model.contract.request import RankRequest
from model.contract.versions import version_folder
from service.ranking.pipeline import rank
from service.registry.loading import load_ranker
from training.config import parse
from training.run import Run, train

ROWS = 300
TABLES: dict[str, dict[str, Any]] = {
    "one video": {"video_id": ["v0"] * ROWS},
    "no users": {"user_id": pl.Series([None] * ROWS, dtype=pl.String)},
    "empty ids": {"user_id": ["" if row % 3 else "u1" for row in range(ROWS)]},
    "ids of any script": {"video_id": [f"vidéo 动\n{row % 9}," for row in range(ROWS)]},
    "ids longer than a request may have": {"user_id": ["u" * 600 if row % 3 else "u1" for row in range(ROWS)]},
    "decimals": {"age": pl.Series([row % 5 for row in range(ROWS)]).cast(pl.Decimal(9, 2))},
    "nothing known of any row": {"age": pl.Series([None] * ROWS, dtype=pl.Float64)},
}


def table(**changes: Any) -> pl.DataFrame:
    columns: dict[str, Any] = {
        "user_id": [f"u{row % 17}" for row in range(ROWS)],
        "video_id": [f"v{row % 23}" for row in range(ROWS)],
        "age": [float(row % 5) for row in range(ROWS)],
        "day": list(range(ROWS)),
        "click": [row * 7 % 11 % 3 == 0 for row in range(ROWS)],
    }
    return pl.DataFrame(columns | changes)


@pytest.mark.parametrize("name", TABLES)
def test_it_is_published_and_ranks_more_than_it_has_seen(name: str, tmp_path: Path) -> None:
    table(**TABLES[name]).write_parquet(tmp_path / "logs.parquet")
    config = {
        "name": "odd",
        "data": {
            "reader": {"kind": "impressions", "path": str(tmp_path / "logs.parquet")},
            "split": {"by": "time", "column": "day", "valid_from": 180, "test_from": 240},
        },
        "features": [
            {"name": "user_id", "kind": "category", "side": "user"},
            {"name": "video_id", "kind": "category", "side": "candidate"},
            {"name": "age", "kind": "number", "side": "user"},
        ],
        "tasks": [{"name": "click", "group": "engagement", "kind": "binary", "label": "click"}],
        "network": {"embedding_dim": 2, "hidden_units": 4, "tower_units": []},
        "sharing": {"kind": "shared_bottom", "units": [4]},
        "training": {"batch_size": 64, "max_epochs": 1},
        "policies": {"p": {"combination": "weighted_sum", "weights": {"click": 1.0}}},
    }
    run, registry = Run.of(parse(config, {}, "config"), tmp_path / "runs"), tmp_path / "registry"
    _, manifest = train(run, registry, resume=False, console=Console(quiet=True))
    assert manifest is not None
    ranker = load_ranker(version_folder(registry, manifest.version), 1)  # repeats the golden requests
    assert len(rank(RankRequest(candidates=["v0", "v1", "never seen"]), ranker).ids) == 3
