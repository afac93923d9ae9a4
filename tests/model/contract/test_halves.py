"""Halves: those of some rows, found by the rows of the catalog."""

from pathlib import Path

import numpy as np
import pytest

from model.contract.halves import Halves

VALUES = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)


@pytest.mark.parametrize("saved", [False, True])
def test_a_row_has_its_own_half_or_none(tmp_path: Path, saved: bool) -> None:
    halves = Halves.of(VALUES, np.array([4, 0, 2]), num_entities=6)
    if saved:
        halves.save(tmp_path / "halves")
        halves = Halves.load(tmp_path / "halves")
    asked = np.array([2, 5, 4, 6, 0, 1, 2])
    known = halves.known(asked)
    assert known.tolist() == [True, False, True, False, True, False, True]
    np.testing.assert_array_equal(halves.gather(asked)[known], VALUES[[2, 0, 1, 2]])


def test_of_no_rows_there_is_room_for_what_is_computed() -> None:
    halves = Halves.of(VALUES[:0], np.array([], dtype=np.int64), num_entities=6)
    assert not halves.known(np.arange(7)).any()
    assert halves.gather(np.arange(7)).shape == (7, 4)
