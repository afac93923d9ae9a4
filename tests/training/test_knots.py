"""Knots: quantiles of every quantity of the training split, and of nothing else."""

import numpy as np

from model.contract.features.interface import Side
from tests.model.builders import full_schema, make_arrays, make_encoder
from training.dataset import SplitData
from training.knots import fit_knots
from training.splits import TRAIN

NUM_ROWS, PIECES = 400, 4


def split() -> SplitData:
    arrays = make_arrays(make_encoder(full_schema()), NUM_ROWS)
    empty, rows = np.zeros((NUM_ROWS, 1)), np.arange(NUM_ROWS)
    return SplitData(TRAIN, arrays, empty.astype(np.float32), empty.astype(np.bool_), rows, rows, rows)


def test_they_divide_the_rows_of_each_column_of_numbers_and_matches() -> None:
    schema, data = full_schema(), split()
    knots = fit_knots(data, schema, PIECES)
    assert set(knots) == {"duration_s", "age", "recent.summary", "same_author", "same_tag"}
    for name, columns in knots.items():
        assert len(columns) == data.arrays[name].shape[1]
        for values, found in zip(data.arrays[name].T, columns, strict=True):
            assert (np.diff(found) > 0).all() and len(found) <= PIECES + 1
            assert (found[0], found[-1]) == (values.min(), values.max())
    [spec] = [one for one in schema.specs.values() if one.name == "age"]
    assert spec.side is Side.USER
    between = np.histogram(data.arrays["age"][:, 0], knots["age"][0])[0] / NUM_ROWS
    assert len(knots["age"][0]) == PIECES + 1 and between.max() < 2 / PIECES


def test_no_pieces_no_knots() -> None:
    assert fit_knots(split(), full_schema(), 0) == {}
