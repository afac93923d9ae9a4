"""Aggregators against answers found by hand, and what the adapter adds to them."""

import sys
from importlib import util
from typing import get_args

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from tests.training.balancing.toys import regressions, shared_gradient
from training.balancing.gradients import gradients_apart
from training.balancing.jacobian import CAGRAD_RADIUS, AggregatorName, JacobianConfig

NAMES = get_args(AggregatorName)
CONFLICT = torch.tensor([[2.0, 0.0], [-1.0, 1.0]])  # in each other's way: their product is -2
each = pytest.mark.parametrize("name", NAMES)


def merged(name: AggregatorName, rows: Tensor, *weights: float) -> Tensor:
    return shared_gradient(JacobianConfig(aggregator=name), rows, weights)[0]


def test_mgda_is_the_shortest_point_between_the_gradients() -> None:
    # a (2, 0) + (1 - a) (-1, 1) has length (3a - 1)^2 + (1 - a)^2, least at a = 0.4.
    assert merged("mgda", CONFLICT).tolist() == pytest.approx([0.2, 0.6], abs=1e-3)
    # Where the shorter is on the way to the longer it is itself the shortest.
    assert merged("mgda", torch.tensor([[1.0, 0.0], [3.0, 1.0]])).tolist() == pytest.approx([1.0, 0.0])


def test_pcgrad_takes_from_each_gradient_what_points_against_the_other() -> None:
    # (2, 0) + (-1, 1) gives (1, 1); (-1, 1) + (1, 0) gives (0, 1).
    assert merged("pcgrad", CONFLICT).tolist() == pytest.approx([1.0, 2.0])
    peace = torch.tensor([[2.0, 0.0], [1.0, 1.0]])
    torch.testing.assert_close(merged("pcgrad", peace), peace.sum(0))


def test_upgrad_is_the_mean_of_the_gradients_projected_to_where_none_rises() -> None:
    # As in PCGrad with two, but of the mean.
    torch.testing.assert_close(merged("upgrad", CONFLICT), torch.tensor([0.5, 1.0]), atol=1e-3, rtol=0)


def test_cagrad_helps_the_worst_task_within_a_ball_around_the_mean() -> None:
    mean, found = CONFLICT.mean(0), merged("cagrad", CONFLICT)
    assert (found - mean).norm().item() == pytest.approx(CAGRAD_RADIUS * mean.norm().item(), rel=1e-3)
    angles = torch.linspace(0, 2 * torch.pi, 100_000)
    ball = mean + CAGRAD_RADIUS * mean.norm() * torch.stack([angles.cos(), angles.sin()], 1)
    assert (CONFLICT @ found).min().item() == pytest.approx((ball @ CONFLICT.T).min(1).values.max().item(), abs=1e-3)


def test_aligned_mtl_makes_the_gradients_orthogonal_and_as_long_as_the_least_singular_value() -> None:
    left, singular, right = torch.linalg.svd(CONFLICT)
    aligned = singular.min() * left @ right
    torch.testing.assert_close(merged("aligned_mtl", CONFLICT), aligned.mean(0))


def test_nash_mtl_is_the_bargain_in_which_each_gains_the_inverse_of_its_weight() -> None:
    gradient, weights = shared_gradient(JacobianConfig(aggregator="nash_mtl"), CONFLICT)
    gains = CONFLICT @ gradient
    assert (gains * weights).tolist() == pytest.approx([(gains * weights)[0].item()] * 2, rel=1e-3)
    assert gains.min() > 0


@each
def test_gradients_at_right_angles_and_of_one_length_leave_no_reason_to_prefer_any(name: AggregatorName) -> None:
    gradient, weights = shared_gradient(JacobianConfig(aggregator=name), torch.eye(4)[:3])
    assert weights.tolist() == pytest.approx([weights[0].item()] * 3, rel=1e-3)
    assert gradient[3] == 0
    assert weights[0] > 0


@each
def test_no_loss_rises_where_one_can_do_without(name: AggregatorName) -> None:
    """Every one but PCGrad with more than two tasks promises it, CAGrad only with a ball that is large enough."""
    assert (CONFLICT @ merged(name, CONFLICT)).min() > -1e-3 or name == "cagrad"


@each
def test_the_length_of_all_gradients_together_changes_no_weight(name: AggregatorName) -> None:
    _, weights = shared_gradient(JacobianConfig(aggregator=name), CONFLICT)
    for factor in (1e-6, 1e6):
        _, found = shared_gradient(JacobianConfig(aggregator=name), CONFLICT * factor)
        torch.testing.assert_close(found, weights, rtol=1e-3, atol=1e-4)


@each
def test_a_task_that_the_batch_has_no_row_of_is_not_asked(name: AggregatorName) -> None:
    whole = torch.cat([CONFLICT[:1], torch.zeros(1, 2), CONFLICT[1:]])
    torch.testing.assert_close(merged(name, whole), merged(name, CONFLICT))


@each
def test_a_loss_weight_multiplies_what_the_aggregator_gives_a_task(name: AggregatorName) -> None:
    _, equal = shared_gradient(JacobianConfig(aggregator=name), CONFLICT)
    gradient, weights = shared_gradient(JacobianConfig(aggregator=name), CONFLICT, weights=(0.1, 3.0))
    torch.testing.assert_close(weights, equal * torch.tensor([0.1, 3.0]))
    torch.testing.assert_close(gradient, weights @ CONFLICT)


@each
def test_it_keeps_nothing_between_steps(name: AggregatorName) -> None:
    """Or a resumed run would end in other weights than an unbroken one."""
    balancer = JacobianConfig(aggregator=name).build(regressions(1.0, 1.0))
    found = []
    for rows in (CONFLICT, CONFLICT.flip(1) * 3, CONFLICT):
        shared = nn.Parameter(torch.zeros(2))
        balancer.backward(rows @ shared + 1.0, [shared])
        found.append(shared.grad)
    torch.testing.assert_close(found[0], found[2], rtol=0, atol=0)


def test_the_rows_are_the_tasks_gradients_and_what_is_a_tasks_own_gets_its_own() -> None:
    shared, own = nn.Parameter(torch.tensor([1.0, 2.0])), nn.Parameter(torch.tensor([3.0, 4.0]))
    losses = torch.stack([(shared * own[0]).sum(), shared[0] * own[1] ** 2])
    rows = gradients_apart(losses, [shared])
    assert rows.tolist() == [[3.0, 3.0], [16.0, 0.0]]
    assert shared.grad is None
    assert own.grad is not None
    assert own.grad.tolist() == [3.0, 8.0]


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchjd", None)
    with pytest.raises(ValidationError, match=r"`mgda` needs to be installed \(pip install 'watchnext\[balancing\]'\)"):
        JacobianConfig(aggregator="mgda")


def test_without_a_solver_that_an_aggregator_needs_it_is_said_which(monkeypatch: pytest.MonkeyPatch) -> None:
    found = util.find_spec
    monkeypatch.setattr("torchjd._mixins.find_spec", lambda name: None if name == "quadprog" else found(name))
    with pytest.raises(ValidationError, match=r"`upgrad` needs .*watchnext\[balancing\].*quadprog"):
        JacobianConfig(aggregator="upgrad")
    JacobianConfig(aggregator="pcgrad")
