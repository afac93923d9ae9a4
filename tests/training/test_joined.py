"""Joined rows keep the order of the impressions: what is fitted to a sample of them is the same every time."""

import polars as pl

from model.contract.schema import FeatureSchema
from training.joined import READ_ROWS, JoinedTable
from training.readers.interface import ImpressionTable

ROWS = 200_000


def test_all_rows_come_in_their_order() -> None:
    users = pl.DataFrame({"user_id": [f"u{at}" for at in range(5000)], "age": [float(at) for at in range(5000)]})
    rows = pl.select(day=pl.int_range(ROWS)).with_columns(user_id=pl.format("u{}", pl.col("day") * 7919 % 5000))
    schema = FeatureSchema.model_validate(
        {
            "features": [
                {"name": "age", "kind": "number", "side": "user"},
                {"name": "video_id", "kind": "category", "side": "candidate"},
            ]
        }
    )
    impressions = rows.with_columns(video_id=pl.lit("v")).lazy()
    joined = JoinedTable(ImpressionTable("t", "t", impressions, users), schema, ["day"])
    found = pl.concat(joined.chunks(READ_ROWS)).select("day", "age")
    assert found["day"].is_sorted() and found.height == ROWS
    assert (found["age"] == found["day"] * 7919 % 5000).all()
