"""The minimax point of two quadratics, where no task pays for the other."""

import pytest
import torch
from torch import Tensor, nn

from tests.training.balancing.toys import descend, regressions
from training.balancing.fixed import FixedConfig
from training.balancing.worst_case import FLOOR, WorstCaseConfig


def valleys(at: Tensor) -> Tensor:
    """x^2 and 9 (x - 4)^2 are equal at 3, where both are 9; their sum is least at 3.6."""
    return torch.cat([at**2, 9 * (at - 4) ** 2])


def test_it_ends_where_the_losses_are_equal_and_not_where_their_sum_is_least() -> None:
    ends = []
    for config in (WorstCaseConfig(step_size=0.02), FixedConfig()):
        shared = nn.Parameter(torch.zeros(1))
        descend(config.build(regressions(1.0, 1.0)), shared, valleys, 2000, lr=0.005)
        ends.append(shared.item())
    assert ends == pytest.approx([3.0, 3.6], abs=0.01)


def test_the_shares_are_those_that_make_it_stationary() -> None:
    """2 x q = 18 (4 - x) (1 - q) at x = 3: q = 3/4, of the 2 that the weights sum to."""
    balancer, shared = WorstCaseConfig(step_size=0.02).build(regressions(1.0, 1.0)), nn.Parameter(torch.zeros(1))
    descend(balancer, shared, valleys, 2000, lr=0.005)
    assert balancer.weights.tolist() == pytest.approx([1.5, 0.5], abs=0.02)


def test_loss_weights_say_at_which_rate_losses_are_compared() -> None:
    """9 x^2 and 9 (x - 4)^2 are equal in the middle."""
    shared = nn.Parameter(torch.zeros(1))
    descend(WorstCaseConfig().build(regressions(9.0, 1.0)), shared, valleys, 3000, lr=0.002)
    assert shared.item() == pytest.approx(2.0, abs=0.01)


def test_a_task_that_was_easy_for_long_is_heard_soon() -> None:
    balancer, shared = WorstCaseConfig(step_size=0.1).build(regressions(1.0, 1.0)), nn.Parameter(torch.zeros(1))
    for easy in (0.1, 5.0):
        for _ in range(1000 if easy < 1 else 30):
            balancer.backward(torch.cat([shared + 2.0, shared + easy]), [shared])
        if easy < 1:
            assert balancer.weights[1].item() == pytest.approx(FLOOR, rel=0.01)
    assert balancer.weights[1] > balancer.weights[0]


def test_a_task_that_the_batch_has_no_row_of_is_as_bad_as_it_last_was() -> None:
    balancer, shared = WorstCaseConfig(step_size=0.1).build(regressions(1.0, 1.0)), nn.Parameter(torch.zeros(1))
    balancer.backward(torch.cat([shared + 1.0, shared + 2.0]), [shared])
    before = balancer.weights[1].item()
    balancer.backward(torch.cat([shared + 1.0, shared * 0.0]), [shared])
    assert balancer.weights[1].item() > before
