"""Gradients of equal norm, whatever the losses' scales: Chen et al., ICML 2018."""

import pytest
import torch
from torch import Tensor, nn

from tests.training.balancing.toys import descend, regressions, shared_gradient
from training.balancing.grad_norm import GradNormConfig

ROWS = torch.tensor([[3.0, 4.0, 0.0], [0.0, 600.0, 800.0]])  # norms 5 and 1000


def test_weights_undo_the_scale_of_losses() -> None:
    gradient, weights = shared_gradient(GradNormConfig(), ROWS)
    assert weights.tolist() == pytest.approx([2 * 200 / 201, 2 / 201])
    assert (ROWS * weights[:, None]).norm(dim=1).tolist() == pytest.approx([10 * 200 / 201] * 2)
    torch.testing.assert_close(gradient, weights @ ROWS)


def test_a_loss_weight_is_the_norm_that_its_task_shall_have() -> None:
    _, weights = shared_gradient(GradNormConfig(), ROWS, weights=(3.0, 1.0))
    norms = (ROWS * weights[:, None]).norm(dim=1)
    assert (norms[0] / norms[1]).item() == pytest.approx(3.0)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_training_ends_with_gradients_as_equation_1_wants_them(alpha: float) -> None:
    """One task hundred times the other, and noise that keeps both from being solved."""
    features = torch.randn(256, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.stack([features[:, 0] + features[:, 1], 10 * (features[:, 0] - features[:, 2] + 0.5)], 1)
    heads = torch.tensor([1.0, 10.0])

    def losses(layer: Tensor) -> Tensor:
        return ((features @ layer[:, None] * heads - labels) ** 2).mean(0)

    balancer, layer = GradNormConfig(alpha=alpha).build(regressions(1.0, 1.0)), nn.Parameter(torch.zeros(4))
    first = losses(layer).detach()
    descend(balancer, layer, losses, 300, lr=0.05)
    found = losses(layer)
    norms = torch.stack([torch.autograd.grad(one, layer, retain_graph=True)[0].norm() for one in found])
    assert norms[1] / norms[0] > 20
    weighted = norms * balancer.weights
    rates = (found / first).detach()
    wanted = rates**alpha
    torch.testing.assert_close(weighted / weighted.sum(), wanted / wanted.sum(), rtol=0.02, atol=0)
    assert balancer.weights.sum().item() == pytest.approx(2.0)


def test_a_task_that_the_batch_has_no_row_of_keeps_its_weight() -> None:
    balancer, shared = GradNormConfig().build(regressions(1.0, 1.0)), nn.Parameter(torch.zeros(3))
    balancer.backward(ROWS @ shared + 1.0, [shared])
    before, shared.grad = balancer.weights.clone(), None
    balancer.backward(ROWS @ shared * torch.tensor([1.0, 0.0]) + torch.tensor([1.0, 0.0]), [shared])
    torch.testing.assert_close(balancer.weights, before)
    assert shared.grad is not None
    torch.testing.assert_close(shared.grad, before[0] * ROWS[0])
