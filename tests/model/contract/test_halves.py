"""Halves: those of some rows, found by the rows of the catalog."""

from pathlib import Path

import numpy as np
import pytest

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
    np.testing.assert_array_equal(halves.values[halves.places[asked[known]]], values[[2, 0, 1, 2]])


@pytest.mark.parametrize("precision", Precision)
def test_of_no_rows_none_is_known(precision: Precision) -> None:
    halves = Halves.of(KEPT_IN[precision](VALUES[:0]), np.array([], dtype=np.int64), num_entities=6)
    assert not halves.known(np.arange(7)).any()
    assert halves.dim == 4 and halves.row_bytes == {Precision.FLOAT32: 16, Precision.BFLOAT16: 8}[precision]
