"""Knots: where the quantiles of the training split's quantities lie, for the network's piecewise-linear encoding."""

import numpy as np

from model.contract.schema import FeatureSchema
from model.piecewise import Knots
from training.dataset import SplitData

SAMPLE_ROWS = 100_000


def fit_knots(split: SplitData, schema: FeatureSchema, num_pieces: int) -> Knots:
    """Knots of every array of quantities, `num_pieces` or fewer intervals a column: equal quantiles are one knot.

    From rows at equal distances, so that time does not grow with the log.
    """
    if not num_pieces:
        return {}
    rows = np.linspace(0, split.num_rows - 1, min(split.num_rows, SAMPLE_ROWS)).astype(np.int64)
    shares = np.linspace(0, 1, num_pieces + 1)
    return {
        spec.name: [
            np.unique(np.quantile(column, shares).astype(np.float32)) for column in split.arrays[spec.name][rows].T
        ]
        for spec in schema.specs.values()
        if spec.quantities
    }
