"""Fixed weights minimise the weighted sum."""

import pytest
import torch
from torch import nn

from tests.training.balancing.toys import descend, regressions
from training.balancing.fixed import FixedConfig


def test_two_quadratics_meet_at_their_weighted_mean() -> None:
    shared = nn.Parameter(torch.zeros(1))
    balancer = FixedConfig().build(regressions(3.0, 1.0))
    descend(balancer, shared, lambda at: torch.cat([at**2, (at - 4) ** 2]), 200, lr=0.05)
    assert shared.item() == pytest.approx(1.0, abs=1e-4)
