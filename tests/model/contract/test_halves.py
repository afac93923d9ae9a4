"""Halves: those of some rows, found by the rows of the catalog."""

from pathlib import Path

import numpy as np
import pytest

from model.contract.bfloat16 import rounded
from model.contract.halves import KEPT_IN, Halves
from model.contract.serving import Precision

VALUES = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)


@pytest.mark.parametrize("precision", Precision)
@pytest.mark.parametrize("saved", [False, True])
def test_a_row_has_its_own_half_or_none(tmp_path: Path, saved: bool, precision: Precision) -> None:
    values = KEPT_IN[precision](VALUES)
    halves = Halves.of(values, np.array([4, 0, 2]), num_entities=6)
    if saved:
        halves.save(tmp_path / "halves")
        halves = Halves.load(tmp_path / "halves")
    asked = np.array([2, 5, 4, 6, 0, 1, 2])
    known = halves.known(asked)
    assert known.tolist() == [True, False, True, False, True, False, True]
    np.testing.assert_array_equal(halves.gather(asked)[known], values[[2, 0, 1, 2]])


@pytest.mark.parametrize("precision", Precision)
def test_of_no_rows_there_is_room_for_what_is_computed(precision: Precision) -> None:
    halves = Halves.of(KEPT_IN[precision](VALUES[:0]), np.array([], dtype=np.int64), num_entities=6)
    assert not halves.known(np.arange(7)).any()
    room = halves.gather(np.arange(7))
    assert room.shape == (7, 4) and room.dtype == halves.alike(VALUES).dtype


def test_what_is_computed_is_kept_as_the_others_are() -> None:
    of_width = {16: rounded(VALUES), 32: VALUES}
    for bits, values in of_width.items():
        halves = Halves.of(values, np.arange(3), num_entities=3)
        np.testing.assert_array_equal(halves.alike(VALUES), values)
        assert halves.row_bytes == 4 * bits / 8
