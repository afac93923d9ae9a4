"""Encoded data: fitted on training rows only, split as told, read in an order that only the seed decides."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from model.contract.mistakes import InputError
from training.config import RunConfig, parse
from training.dataset import Dataset, Preparation, prepare
from training.splits import NAMES

ROWS = 60
FEATURES = [
    {"name": "user_id", "kind": "category", "side": "user"},
    {"name": "video_id", "kind": "category", "side": "candidate", "min_count": 2},
    {"name": "age", "kind": "number", "side": "user", "bins": 4},
]


def table(**changes: Any) -> pl.DataFrame:
    columns: dict[str, Any] = {
        "user_id": [f"u{row % 7}" for row in range(ROWS)],
        "video_id": [f"v{row % 11}" for row in range(ROWS)],
        "age": [float(row % 5) for row in range(ROWS)],
        "day": list(range(ROWS)),
        "click": [row % 3 == 0 for row in range(ROWS)],
        "seconds": [float(row % 9) for row in range(ROWS)],
    }
    return pl.DataFrame(columns | changes)


def config(path: Path, **changes: Any) -> RunConfig:
    raw: dict[str, Any] = {
        "name": "t",
        "data": {
            "reader": {"kind": "impressions", "path": str(path)},
            "split": {"by": "time", "column": "day", "valid_from": 40, "test_from": 50},
        },
        "features": FEATURES,
        "tasks": [
            {"name": "click", "group": "engagement", "kind": "binary", "label": "click"},
            {"name": "watch", "group": "engagement", "kind": "regression", "label": "seconds", "transform": "log1p"},
        ],
        "policies": {"p": {"combination": "weighted_sum", "weights": {"click": 1.0}}},
    }
    return parse(raw | changes, {}, "config")


def prepared(frame: pl.DataFrame, folder: Path, **changes: Any) -> Dataset:
    path = folder / "logs.parquet"
    frame.write_parquet(path)
    run = config(path, **changes)
    preparation = Preparation(run.read(), run.feature_schema, run.tasks, run.data.split)
    return prepare(preparation, folder / "encoded", lambda *_: None)


def test_rows_fall_into_their_splits_in_order(tmp_path: Path) -> None:
    dataset = prepared(table(), tmp_path)
    rows = [dataset.splits[name].rows.tolist() for name in NAMES]
    assert rows == [list(range(40)), list(range(40, 50)), list(range(50, 60))]
    assert dataset.splits["test"].values[:, 1].tolist() == [float(row % 9) for row in range(50, 60)]


def test_nothing_of_valid_or_test_is_fitted(tmp_path: Path) -> None:
    video = [f"v{row}" if row >= 40 else f"v{row % 4}" for row in range(ROWS)]
    age = [1000.0 if row >= 40 else float(row % 5) for row in range(ROWS)]
    dataset = prepared(table(video_id=video, age=age), tmp_path)
    fitted = dataset.encoder.fitted
    assert fitted.vocabularies["video_id"].tokens.tolist() == [b"v0", b"v1", b"v2", b"v3"]
    assert fitted.scalers["age"].mean == pytest.approx(2.0)
    assert (dataset.splits["test"].arrays["video_id"] == 1).all()  # out of vocabulary
    assert dataset.scales[1].mean == pytest.approx(np.log1p([row % 9 for row in range(40)]).mean(), rel=1e-6)


def test_entities_take_their_last_logged_features(tmp_path: Path) -> None:
    dataset = prepared(table(age=[float(row) for row in range(ROWS)]), tmp_path)
    expected = dataset.encoder.fitted.scalers["age"].scale(np.array([59.0, 58.0]))
    assert dataset.users.lookup("age", ["u3", "u2"]).tolist() == expected.tolist()


def test_entities_that_were_never_logged_have_the_features_of_their_table(tmp_path: Path) -> None:
    users = pl.DataFrame({"user_id": ["u3", "new", None], "age": [7.0, 3.0, 1.0]})
    users.write_parquet(tmp_path / "users.parquet")
    reader = {"kind": "impressions", "path": str(tmp_path / "logs.parquet"), "users": str(tmp_path / "users.parquet")}
    split = {"by": "time", "column": "day", "valid_from": 40, "test_from": 50}
    dataset = prepared(
        table(age=[1.0 + row % 2 for row in range(ROWS)]), tmp_path, data={"reader": reader, "split": split}
    )
    expected = dataset.encoder.fitted.scalers["age"].scale(np.array([2.0, 3.0, math.nan]))
    assert dataset.users.lookup("age", ["u3", "new", "nobody"]).tolist() == expected.tolist()
    assert dataset.users.num_entities == 8


def test_rows_without_a_user_are_not_one_user(tmp_path: Path) -> None:
    users = [None if row % 2 else ("" if row % 3 else "u") for row in range(ROWS)]
    dataset = prepared(table(user_id=users), tmp_path)
    train = dataset.splits["train"]
    assert len(set(train.users.tolist())) == 1 + sum(not one for one in users[:40])
    assert (train.groups == train.users).all()
    assert dataset.users.ids.tokens.tolist() == [b"u"]


def test_rows_are_read_in_order_whatever_the_size_of_a_chunk(tmp_path: Path) -> None:
    table().write_parquet(tmp_path / "logs.parquet", row_group_size=7)
    run = config(tmp_path / "logs.parquet")
    preparation = Preparation(run.read(), run.feature_schema, run.tasks, run.data.split)
    for size in (1, 2, 3, 7, 60, 61):
        chunks = list(preparation.joined().chunks(size))
        assert all(chunk.height <= size for chunk in chunks)
        rows = pl.concat(chunks)
        assert rows["__row"].to_list() == rows["day"].to_list() == list(range(ROWS))


def test_sets_are_counted_item_by_item(tmp_path: Path) -> None:
    tags = {"features": [*FEATURES, {"name": "tags", "kind": "categories", "side": "candidate", "min_count": 2}]}
    lists = [["a", "b"], [], None, ["a", None, ""]] * 15
    dataset = prepared(table(tags=lists), tmp_path, **tags)
    assert dataset.encoder.fitted.vocabularies["tags"].tokens.tolist() == [b"a", b"b"]
    text = [None if one is None else ",".join(item or "" for item in one) for one in lists]
    (tmp_path / "text").mkdir()
    dataset = prepared(table(tags=text), tmp_path / "text", **tags)
    assert dataset.encoder.fitted.vocabularies["tags"].tokens.tolist() == [b"a", b"b"]


def test_what_a_table_shows_only_when_it_is_read_is_told_in_a_line(tmp_path: Path) -> None:
    rows = "".join(f"u{row % 7},v{row % 11},{row % 5},{row % 60},{row % 2},1\n" for row in range(12_000))
    head = "user_id,video_id,age,day,click,seconds\n"
    (tmp_path / "logs.csv").write_text(head + rows + "u,v,old,1,1,1\n")
    run = config(tmp_path / "logs.csv")
    preparation = Preparation(run.read(), run.feature_schema, run.tasks, run.data.split)
    with pytest.raises(InputError, match=r"logs\.csv: expected a readable table, found could not parse `old`"):
        prepare(preparation, tmp_path / "encoded", lambda *_: None)
    assert [one.name for one in tmp_path.iterdir()] == ["logs.csv"]


def test_an_interrupted_preparation_leaves_nothing(tmp_path: Path) -> None:
    def stop(what: str, done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    path = tmp_path / "logs.parquet"
    table().write_parquet(path)
    run = config(path)
    preparation = Preparation(run.read(), run.feature_schema, run.tasks, run.data.split)
    with pytest.raises(KeyboardInterrupt):
        prepare(preparation, tmp_path / "encoded", stop)
    assert [one.name for one in tmp_path.iterdir()] == ["logs.parquet"]
    assert prepare(preparation, tmp_path / "encoded", lambda *_: None).splits["train"].num_rows == 40


BAD: list[tuple[dict[str, Any], str]] = [
    ({"click": [2] * ROWS}, "column `click`, row 0: expected 0 or 1 (task `click`), found 2"),
    ({"click": ["yes"] * ROWS}, "column `click`: expected the numbers of a binary task, found a column of type String"),
    (
        {"click": [None if row >= 50 else row % 2 for row in range(ROWS)]},
        "expected labels of task `click` in the test split",
    ),
    (
        {"click": [int(row >= 40) for row in range(ROWS)]},
        "column `click`: expected labels of task `click` that differ in the train split, "
        "found 0 in all 40 observed rows, a rate of 0%",
    ),
    (
        {"seconds": [3.3 if row < 40 else float(row) for row in range(ROWS)]},
        "column `seconds`: expected labels of task `watch` that differ in the train split, found 3.3 in all 40",
    ),
    (
        {"seconds": [-1.0 if row == 41 else 1.0 for row in range(ROWS)]},
        "column `seconds`, row 41: expected a finite number",
    ),
    ({"seconds": [float("inf") if row == 3 else 1.0 for row in range(ROWS)]}, "column `seconds`, row 3"),
    ({"age": [float("nan") if row == 17 else 1.0 for row in range(ROWS)]}, "column `age`, row 17"),
    ({"age": [float("nan") if row == 59 else 1.0 for row in range(ROWS)]}, "column `age`, row 59"),
    ({"seconds": [1e300 if row == 3 else 1.0 for row in range(ROWS)]}, "column `seconds`, row 3"),
    (
        {"day": [math.nan if row == 5 else float(row) for row in range(ROWS)]},
        "column `day`: expected a value in every row",
    ),
    ({"user_id": [["u"]] * ROWS}, "column `user_id`: expected ids as strings or integers"),
    ({"age": ["old"] * ROWS}, "column `age`: expected numbers"),
    ({"day": [1] * ROWS}, "column `day`: expected rows in the valid split, found none"),
    ({"day": [None if row == 5 else row for row in range(ROWS)]}, "column `day`: expected a value in every row"),
    ({"user_id": [1.5] * ROWS}, "column `user_id`: expected ids as strings or integers"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=[message[:40] for _, message in BAD])
def test_bad_values_are_told_with_file_column_and_row(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        prepared(table(**changes), tmp_path)
    assert message in str(caught.value)
    assert not (tmp_path / "encoded").exists()


def test_every_missing_column_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        prepared(table().rename({"age": "agee", "click": "clicks"}), tmp_path)
    assert "expected a column `age`, found none of that name; did you mean `agee`?" in str(caught.value)
    assert "expected a column `click`, found none of that name; did you mean `clicks`?" in str(caught.value)
