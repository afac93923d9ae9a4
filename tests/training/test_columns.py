"""A table's columns and a request's values encode to the same arrays, and what is neither is refused with its row."""

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest

from model.contract.catalog import EntityTable
from model.contract.encoding import Encoder, encode
from model.contract.features.categories import Categories
from model.contract.features.category import Category
from model.contract.features.history import History
from model.contract.features.interface import Feature, Fitted, Side
from model.contract.features.number import Number
from model.contract.features.vector import Vector
from model.contract.mistakes import InputError
from model.contract.scaling import Scaler, Transform
from model.contract.schema import FeatureSchema
from model.contract.vocabulary import Vocabulary
from training.columns import to_column

CATEGORY = Category(name="a", side=Side.CANDIDATE)
NUMBER = Number(name="a", side=Side.USER, transform=Transform.LOG1P, bins=4)
TAGS = Categories(name="a", side=Side.CANDIDATE, length=2)
VECTOR = Vector(name="a", side=Side.CANDIDATE, length=2)
HISTORY = History(name="a", side=Side.USER, of="v", outcomes=("like", "watch"), length=2)
PAST = [{"video_id": "1", "like": 1.0, "watch": 0.5}, {"video_id": "9", "like": None, "watch": 2.0}]

SAME: list[tuple[Feature, pl.Series, list[Any]]] = [
    (CATEGORY, pl.Series("a", [1, None, 9007199254740993]), [1, None, 9007199254740993]),
    (CATEGORY, pl.Series("a", ["1", "", None, "zz", "é"]), ["1", "", None, "zz", "é"]),
    (CATEGORY, pl.Series("a", [True, False, None]), [True, False, None]),
    (CATEGORY, pl.Series("a", [dt.date(2026, 3, 1)]), ["2026-03-01"]),
    (CATEGORY, pl.Series("a", ["1", "2"], dtype=pl.Categorical), ["1", "2"]),
    (CATEGORY, pl.Series("a", [None, None]), [None, None]),
    (NUMBER, pl.Series("a", [0.1, None, -3.5, 1e30]), [0.1, None, -3.5, 1e30]),
    (NUMBER, pl.Series("a", [0.1, 0.7], dtype=pl.Float32), [0.1, 0.7]),
    (NUMBER, pl.Series("a", [1, None, 3], dtype=pl.Int16), [1, None, 3]),
    (NUMBER, pl.Series("a", [True, None]), [True, None]),
    (TAGS, pl.Series("a", [["1", "2", "3"], [], None, ["zz", None]]), [["1", "2", "3"], [], None, ["zz", None]]),
    (TAGS, pl.Series("a", ["1,2", None]), [["1", "2"], None]),
    (TAGS, pl.Series("a", [[1, 2], [3]]), [[1, 2], [3]]),
    (VECTOR, pl.Series("a", [[0.5, 1.5], None]), [[0.5, 1.5], None]),
    (VECTOR, pl.Series("a", [[0.5, 1.5], None], dtype=pl.Array(pl.Float32, 2)), [[0.5, 1.5], None]),
    (VECTOR, pl.Series("a", ["0.5,1.5", None]), [[0.5, 1.5], None]),
    (
        HISTORY,
        pl.Series("a", [PAST, [], None, PAST * 2]),
        [
            [{"video_id": one["video_id"], "outcomes": {"like": one["like"], "watch": one["watch"]}} for one in past]
            for past in (PAST, [], [], PAST * 2)
        ],
    ),
]

REFUSED: list[tuple[Feature, pl.Series, str]] = [
    (
        CATEGORY,
        pl.Series("a", [1.0]),
        "column `a`: expected strings, integers or booleans, found a column of type Float64",
    ),
    (CATEGORY, pl.Series("a", [["x"]]), "column `a`: expected strings"),
    (NUMBER, pl.Series("a", ["1"]), "column `a`: expected numbers, found a column of type String"),
    (NUMBER, pl.Series("a", [1.0, float("nan")]), "column `a`, row 101: expected a finite number, or null"),
    (NUMBER, pl.Series("a", [None, 1.0, float("inf")]), "column `a`, row 102: expected a finite number"),
    (NUMBER, pl.Series("a", [1e300]), "column `a`, row 100: expected a finite number"),
    (TAGS, pl.Series("a", [1]), "column `a`: expected lists, or strings split at `,`"),
    (VECTOR, pl.Series("a", [[1.0, 2.0], [1.0]]), "column `a`, row 101: expected a list of 2 numbers, found 1 numbers"),
    (VECTOR, pl.Series("a", [[1.0, float("nan")]]), "column `a`, row 100: expected 2 finite numbers"),
    (VECTOR, pl.Series("a", ["1.0,x"]), "column `a`, row 100: expected 2 finite numbers"),
    (VECTOR, pl.Series("a", [1.0]), "column `a`: expected lists of 2 numbers"),
    (HISTORY, pl.Series("a", [[{"video_id": "1"}]]), "lists of structs with the fields video_id, like, watch"),
]


def encoder(feature: Feature) -> Encoder:
    schema = FeatureSchema(features=(feature, Category(name="v", side=Side.CANDIDATE)))  # type: ignore[arg-type]
    vocabulary = Vocabulary.of(["1", "2", "true", "2026-03-01", "é", "9007199254740993"])
    scaler = Scaler.fit(np.array([0.1, 0.7, 1.0, 3.0, 8.0]), Transform.LOG1P, 4)
    fitted = Fitted({"a": vocabulary, "v": vocabulary}, {"a": scaler}, {"a": (0.25, 1.5)})
    return Encoder(schema, fitted, EntityTable.build([], {}, {}))


@pytest.mark.parametrize(("feature", "series", "values"), SAME, ids=lambda one: getattr(one, "kind", None))
def test_offline_and_online_encodings_are_equal_bit_for_bit(
    feature: Feature, series: pl.Series, values: list[Any]
) -> None:
    offline = encode(encoder(feature), {"a": to_column(series, feature, "t", 0)})
    online = encode(encoder(feature), {"a": feature.column.from_values(values, feature.shape)})
    assert offline.keys() == online.keys() == {spec.name for spec in feature.specs}
    for name, array in offline.items():
        assert array.dtype == online[name].dtype
        assert array.tobytes() == online[name].tobytes(), name


@pytest.mark.parametrize(("feature", "series", "message"), REFUSED, ids=lambda one: getattr(one, "kind", None))
def test_wrong_columns_are_refused_with_their_row(feature: Feature, series: pl.Series, message: str) -> None:
    with pytest.raises(InputError) as caught:
        to_column(series, feature, "logs.parquet", 100)
    assert str(caught.value).startswith("logs.parquet: column `a`")
    assert message in str(caught.value)
