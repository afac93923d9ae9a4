"""Weights by the formula: Liu et al., CVPR 2019, equation 7."""

import math

import pytest
import torch

from tests.training.balancing.toys import regressions
from training.balancing.dwa import DWAConfig


def test_the_first_two_epochs_are_equal_and_the_third_follows_the_rates_of_descent() -> None:
    balancer = DWAConfig(temperature=2.0).build(regressions(1.0, 1.0, 3.0))
    assert balancer.weights.tolist() == [1.0, 1.0, 3.0]
    balancer.end_epoch(torch.tensor([1.0, 2.0, 0.5]))
    assert balancer.weights.tolist() == [1.0, 1.0, 3.0]
    balancer.end_epoch(torch.tensor([0.5, 1.9, 0.6]))
    pulls = [math.exp(ratio / 2.0) for ratio in (0.5 / 1.0, 1.9 / 2.0, 0.6 / 0.5)]
    expected = [weight * 3 * pull / sum(pulls) for weight, pull in zip((1, 1, 3), pulls, strict=True)]
    assert balancer.weights.tolist() == pytest.approx(expected)
    balancer.end_epoch(torch.tensor([0.25, 0.95, 0.3]))  # all halved
    assert balancer.weights.tolist() == pytest.approx([1.0, 1.0, 3.0])


@pytest.mark.parametrize("temperature", [0.1, 1.0, 100.0])
def test_temperature_makes_weights_more_equal(temperature: float) -> None:
    balancer = DWAConfig(temperature=temperature).build(regressions(1.0, 1.0))
    balancer.end_epoch(torch.tensor([1.0, 1.0]))
    balancer.end_epoch(torch.tensor([1.0, 0.5]))
    ratio = (balancer.weights[0] / balancer.weights[1]).item()
    assert ratio == pytest.approx(math.exp(0.5 / temperature), rel=1e-4)


def test_a_task_that_an_epoch_had_no_row_of_breaks_nothing() -> None:
    balancer = DWAConfig().build(regressions(1.0, 1.0))
    for losses in ([1.0, 0.0], [0.5, 1e-45], [0.5, 1e30], [0.0, 0.0], [0.5, 0.5]):
        balancer.end_epoch(torch.tensor(losses))
        assert balancer.weights.isfinite().all()
        assert balancer.weights.sum().item() == pytest.approx(2.0)
