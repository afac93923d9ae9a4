"""The noise of each task is found: Kendall et al., CVPR 2018."""

import pytest
import torch
from torch import nn

from tests.training.balancing.toys import descend, regressions, tasks
from training.balancing.uncertainty import UncertaintyConfig

NOISE = torch.tensor([0.1, 2.0])


def test_the_learned_variances_are_those_of_the_noise() -> None:
    noise = torch.randn(5000, 2, generator=torch.Generator().manual_seed(0)) * NOISE
    labels = torch.tensor([1.0, -1.0]) + noise
    balancer = UncertaintyConfig().build(regressions(1.0, 1.0))
    means = nn.Parameter(torch.zeros(2))
    descend(balancer, means, lambda at: ((labels - at) ** 2).mean(0), 2000, lr=0.01)
    torch.testing.assert_close(balancer.log_variances.exp().sqrt(), noise.std(0), rtol=0.01, atol=0)
    torch.testing.assert_close(balancer.weights, 0.5 / noise.var(0), rtol=0.02, atol=0)


def test_its_total_goes_below_zero_while_no_loss_does() -> None:
    balancer = UncertaintyConfig().build(regressions(1.0, 1.0))
    means, losses = nn.Parameter(torch.zeros(2)), torch.tensor([0.01, 0.02])
    descend(balancer, means, lambda at: at**2 + losses, 2000, lr=0.01)
    assert balancer.backward(means**2 + losses, [means]).item() == pytest.approx(
        (1 + losses.log()).sum().item() / 2, abs=0.01
    )


@pytest.mark.parametrize(("kind", "factor"), [("regression", 0.5), ("binary", 1.0)])
def test_the_two_forms_weigh_a_loss_as_in_equations_5_and_10(kind: str, factor: float) -> None:
    balancer = UncertaintyConfig().build(tasks(kind))
    with torch.no_grad():
        balancer.log_variances.fill_(0.7)
    value, shared = torch.tensor([0.3]), nn.Parameter(torch.zeros(1))
    expected = factor * 0.3 * torch.exp(torch.tensor(-0.7)) + 0.35
    assert balancer.backward(value + shared, [shared]).item() == pytest.approx(expected.item())
    # At its best a variance is 2 c times the loss: the weight is 1 / (2 L) for either kind.
    assert shared.grad is not None
    assert shared.grad.item() == pytest.approx(factor * torch.exp(torch.tensor(-0.7)).item())


def test_a_batch_without_rows_of_a_task_says_nothing_about_its_noise() -> None:
    balancer = UncertaintyConfig().build(regressions(1.0, 1.0))
    shared = nn.Parameter(torch.zeros(1))
    balancer.backward(torch.cat([shared + 2.0, shared * 0.0]), [shared])
    assert balancer.log_variances.grad is not None
    assert balancer.log_variances.grad.tolist() == [-0.5, 0.0]


def test_a_loss_weight_is_how_often_each_row_of_the_task_counts() -> None:
    """It pulls the network more and leaves the variance that is found as it is."""
    found = []
    for weight in (1.0, 4.0):
        balancer = UncertaintyConfig().build(regressions(weight))
        shared = nn.Parameter(torch.zeros(1))
        balancer.backward(shared + 0.3, [shared])
        assert shared.grad is not None
        assert balancer.log_variances.grad is not None
        found.append((shared.grad.item(), balancer.log_variances.grad.item()))
    assert found[1] == pytest.approx([4 * one for one in found[0]])
