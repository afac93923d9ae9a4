"""A scan of many batches learns what one look at the whole training split would."""

import numpy as np
import polars as pl
import pytest

import training.joined
import training.scan
from model.contract.features.interface import Side
from model.contract.schema import FeatureSchema
from training.joined import JoinedTable
from training.readers.interface import ImpressionTable
from training.scan import COUNT, scan

ROWS = 1_000
SCHEMA = FeatureSchema.model_validate(
    {
        "features": [
            {"name": "age", "kind": "number", "side": "user"},
            {"name": "country", "kind": "category", "side": "user"},
            {"name": "video_id", "kind": "category", "side": "candidate"},
            {"name": "length_s", "kind": "number", "side": "candidate"},
            {"name": "tags", "kind": "categories", "side": "candidate"},
        ]
    }
)


@pytest.fixture
def log() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    tags = [[f"t{one}" for one in rng.integers(0, 9, size)] for size in rng.integers(0, 4, ROWS)]
    users = [None if user == 3 else f"u{user}" for user in rng.integers(0, 50, ROWS)]
    columns = {"user_id": users, "video_id": rng.integers(0, 40, ROWS).astype(str), "tags": tags}
    return pl.DataFrame(columns | {"day": np.arange(ROWS) % 10, "length_s": rng.random(ROWS)})


def test_counts_samples_and_last_rows(log: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, value in ((training.joined, "READ_ROWS", 64), (training.scan, "FEWEST_FOLDED", 10)):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(training.scan, "LARGEST_SAMPLE", 90)
    users = pl.DataFrame({"user_id": [f"u{at}" for at in range(50)], "age": range(50), "country": ["x", "y"] * 25})
    joined = JoinedTable(ImpressionTable("t", "t", log.lazy(), users), SCHEMA, ["day"])
    train = log.filter(pl.col("day") < 8)
    found = scan(joined, pl.col("day") < 8, train.height)
    assert found.counts.keys() == {"user_id", "video_id", "tags"}  # of a country it is enough to know the user
    for name, counts in found.counts.items():
        values = train[name].explode() if name == "tags" else train[name]
        counts = counts.drop_nulls()
        expected = values.value_counts(name=COUNT)
        met = counts.filter(pl.col(COUNT) > 0)
        assert dict(met.iter_rows()) == dict(expected.drop_nulls().iter_rows())
    for column in ("user_id", "length_s"):
        assert found.samples[column, 1][column].to_list() == train[column].gather_every(9).to_list()
    last = log.filter(pl.col("video_id").is_not_null()).unique("video_id", keep="last").sort("video_id")
    assert found.last[Side.CANDIDATE].sort("video_id").equals(last.select("video_id", "length_s", "tags"))
    assert set(found.last[Side.USER]["user_id"]) == set(log["user_id"].drop_nulls())
