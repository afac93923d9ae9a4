"""PiecewiseLinear: the equation of its paper in a plain loop, and what a linear layer can make of it."""

from itertools import pairwise

import numpy as np
import torch

from model.piecewise import PiecewiseLinear

KNOTS = [np.array([-1.0, 0.0, 0.5, 4.0]), np.array([2.0]), np.array([0.0, 1.0])]


def test_it_is_equation_1_of_the_paper_with_closed_ends() -> None:
    values = torch.randn(50, len(KNOTS), generator=torch.Generator().manual_seed(0)) * 3
    found = PiecewiseLinear(KNOTS)(values)
    expected = [
        [
            min(max((float(row[at]) - low) / (high - low), 0), 1)
            for at, knots in enumerate(KNOTS)
            for low, high in pairwise(knots)
        ]
        for row in values
    ]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float32))


def test_a_column_that_is_constant_in_training_has_no_component() -> None:
    assert PiecewiseLinear(KNOTS).out_dim == 4
    assert PiecewiseLinear([np.array([2.0])])(torch.zeros(3, 1)).shape == (3, 0)


def test_a_linear_layer_of_it_takes_any_values_at_the_knots() -> None:
    knots, wanted = torch.tensor([-1.0, 0.0, 0.5, 4.0]), torch.tensor([3.0, -2.0, 7.0, 0.5])
    components = PiecewiseLinear([knots.numpy()])(knots.unsqueeze(1))
    torch.testing.assert_close(components @ wanted.diff() + wanted[0], wanted)
