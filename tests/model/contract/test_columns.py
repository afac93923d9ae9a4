"""Raw values become columns as they are, or are refused at the very place where they stand."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from model.contract.columns import (
    LARGEST,
    Column,
    Histories,
    Numbers,
    Shape,
    StringLists,
    Strings,
    Vectors,
    padded,
)
from model.contract.mistakes import InputError

HISTORY: Shape = {"outcomes": ("click", "like")}
VECTOR: Shape = {"length": 2}
NOT_TEXT = (1.0, math.nan, [], {}, ["a"], b"a")
NOT_FINITE = (math.nan, math.inf, -math.inf, 10**400, -(10**400), 2 * LARGEST, "5", "", [1], {}, 1j)
Case = tuple[type[Column], Shape, Any, Any, str]


def interaction(**values: Any) -> list[dict[str, Any]]:
    return [{"video_id": "v", "outcomes": {}}, {"video_id": "v", "outcomes": {}} | values]


REFUSED: list[Case] = [
    *((Strings, {}, "a", bad, "") for bad in NOT_TEXT),
    *((StringLists, {}, ["a"], ["a", bad], "[1]") for bad in NOT_TEXT),
    *((StringLists, {}, ["a"], bad, "") for bad in ("a", 1, {"a": 1}, {"a"})),
    *((Numbers, {}, 1.5, bad, "") for bad in NOT_FINITE),
    *((Vectors, VECTOR, [1, 2], [1, bad], "[1]") for bad in (*NOT_FINITE, None)),
    *((Vectors, VECTOR, [1, 2], bad, "") for bad in ([], [1], [1, 2, 3], "12", 5, {"0": 1, "1": 2})),
    *((Histories, HISTORY, [], bad, "") for bad in ("v", 1, {"video_id": "v"})),
    *((Histories, HISTORY, [], [interaction()[0], bad], "[1]") for bad in ("v", None, 5, ["v"])),
    *((Histories, HISTORY, [], interaction(video_id=bad), "[1].video_id") for bad in NOT_TEXT),
    *((Histories, HISTORY, [], interaction(outcomes=bad), "[1].outcomes") for bad in ([1, 0], "click", 1)),
    *((Histories, HISTORY, [], interaction(outcomes={"like": bad}), "[1].outcomes.like") for bad in NOT_FINITE),
]


@pytest.mark.parametrize(("column", "shape", "good", "bad", "place"), REFUSED)
@pytest.mark.parametrize("row", [0, 2])
def test_a_wrong_value_is_refused_at_its_place(
    column: type[Column], shape: Shape, good: Any, bad: Any, place: str, row: int
) -> None:
    with pytest.raises(InputError) as caught:
        column.from_values([*[good] * row, bad, None, good], shape)
    [mistake] = caught.value.mistakes
    assert mistake.where == f"[{row}]{place}"
    assert mistake.expected
    assert mistake.found


@pytest.mark.parametrize(
    ("column", "shape", "good"),
    [
        (Strings, {}, "a"),
        (StringLists, {}, ["a"]),
        (Numbers, {}, 1),
        (Vectors, VECTOR, [1, 2]),
        (Histories, HISTORY, interaction()),
    ],
)
def test_a_column_has_one_row_a_value_and_none_is_always_allowed(column: type[Column], shape: Shape, good: Any) -> None:
    for values in ([], [None], [good, None, good]):
        assert len(column.from_values(values, shape)) == len(values)


def test_strings_are_spelled_as_json_spells_them() -> None:
    values = ["a", "", None, True, False, 0, 7, -7, 2**53 + 1, "007", "1e16"]
    expected = ["a", None, None, "true", "false", "0", "7", "-7", "9007199254740993", "007", "1e16"]
    assert Strings.from_values(values).distinct == expected
    assert StringLists.from_values([values]).flat.distinct == expected


@given(st.integers())
def test_an_id_never_passes_through_a_float(number: int) -> None:
    assert Strings.from_values([number]).distinct == [str(number)]


@given(st.floats(-LARGEST, LARGEST) | st.integers(-(2**120), 2**120) | st.booleans())
def test_numbers_are_rounded_to_float32(number: float) -> None:
    [value] = Numbers.from_values([number]).values
    assert value.dtype == np.float64
    assert value == np.float64(np.float32(number))


def test_missing_numbers_and_vectors_are_nan() -> None:
    assert np.isnan(Numbers.from_values([None, 1.0]).values).tolist() == [True, False]
    assert np.isnan(Vectors.from_values([None, [1, 2]], VECTOR).values).tolist() == [[True, True], [False, False]]


def test_histories_keep_their_order_and_know_what_nobody_reported() -> None:
    rows = [
        [
            {"video_id": "a", "outcomes": {"like": True, "click": 0, "share": 5}},
            {"video_id": 7, "outcomes": {"like": None}},
        ],
        None,
        [{"video_id": "b"}, {"video_id": None, "outcomes": None}],
    ]
    column = Histories.from_values(rows, HISTORY)
    assert column.videos.distinct == ["a", "7", "b", None]
    assert column.lengths.tolist() == [2, 0, 2]
    np.testing.assert_array_equal(column.outcomes, [[0, 1], *[[np.nan, np.nan]] * 3])


ragged = st.lists(hnp.arrays(np.int32, st.integers(0, 6), elements=st.integers(1, 99)), max_size=6)


@given(ragged, st.integers(1, 5), st.booleans())
def test_padded_is_each_row_cut_and_filled_with_zeros(
    rows: list[NDArray[np.int32]], width: int, newest_first: bool
) -> None:
    flat = np.concatenate([*rows, np.array([], dtype=np.int32)])
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    expected = [[*list(row[::-1] if newest_first else row)[:width], *[0] * (width - len(row))] for row in rows]
    found = padded(flat, lengths, width, newest_first)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, np.array(expected, dtype=np.int32).reshape(len(rows), width))
