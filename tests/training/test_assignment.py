"""Of a large split that is evaluated, whole users are left out; of what is trained on, nobody."""

import polars as pl
import pytest

import training.assignment
from model.contract.schema import FeatureSchema
from training.assignment import assign
from training.joined import JoinedTable
from training.readers.interface import ImpressionTable
from training.splits import RandomSplit, Split, TimeSplit

ROWS, USERS = 6_000, 500
SCHEMA = FeatureSchema.model_validate(
    {
        "features": [
            {"name": "user_id", "kind": "category", "side": "user"},
            {"name": "video_id", "kind": "category", "side": "candidate"},
        ]
    }
)
SPLITS = [TimeSplit(column="day", valid_from=3, test_from=5), RandomSplit(column="user_id", valid=0.3, test=0.2)]


def joined() -> JoinedTable:
    rows = pl.select(row=pl.int_range(ROWS)).with_columns(
        day=pl.col("row") * 6 // ROWS, user_id=pl.format("u{}", pl.col("row") * 7919 % USERS), video_id=pl.lit("v")
    )
    return JoinedTable(ImpressionTable("t", "t", rows.lazy()), SCHEMA, ["day"])


@pytest.mark.parametrize("split", SPLITS, ids=lambda one: one.by)
def test_large_splits_keep_whole_users(split: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = assign(joined(), split)
    monkeypatch.setattr(training.assignment, "LARGEST_EVALUATED", 500)
    part = assign(joined(), split)
    assert part.num_rows == whole.num_rows == sum(whole.sizes) == ROWS
    assert part.sizes[0] == whole.sizes[0]
    assert all(350 < size < 650 for size in part.sizes[1:])
    [batch] = joined().logged()
    found = batch.with_columns(before=whole.index, after=part.index)
    assert tuple((found["after"] == at).sum() for at in range(3)) == part.sizes
    for at in (1, 2):
        kept = found.filter(pl.col("before") == at).group_by("user_id").agg(pl.col("after").is_null().n_unique())
        assert (kept["after"] == 1).all()
    assert found.filter(pl.col("after").is_not_null() & (pl.col("before") != pl.col("after"))).is_empty()


def test_rows_without_a_user_are_left_out_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training.assignment, "LARGEST_EVALUATED", 500)
    table = joined()
    table.table = ImpressionTable("t", "t", table.table.impressions.with_columns(user_id=pl.lit(None, dtype=pl.String)))
    assert all(350 < size < 650 for size in assign(table, SPLITS[0]).sizes[1:])
