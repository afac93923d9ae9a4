"""Small problems with known answers, and what it takes to solve them."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from model.contract.tasks import Task
from training.balancing.interface import BalancingConfig, LossBalancer


def tasks(*kinds: str, weights: Sequence[float] = ()) -> list[Task]:
    return [
        Task(name=f"t{at}", group="g", kind=kind, label=f"l{at}", loss_weight=weight)
        for at, (kind, weight) in enumerate(zip(kinds, weights or [1.0] * len(kinds), strict=True))
    ]


def regressions(*weights: float) -> list[Task]:
    return tasks(*["regression"] * len(weights), weights=weights)


def shared_gradient(config: BalancingConfig, rows: Tensor, weights: Sequence[float] = ()) -> tuple[Tensor, Tensor]:
    """The gradient that a new balancer leaves on shared parameters where the tasks' gradients are `rows`, and its
    weights.
    """
    balancer = config.build(regressions(*(weights or [1.0] * len(rows))))
    shared = nn.Parameter(torch.zeros(rows.shape[1]))
    balancer.backward(rows @ shared + 1.0, [shared])
    assert shared.grad is not None
    return shared.grad, balancer.weights


def descend(
    balancer: LossBalancer,
    shared: nn.Parameter,
    losses: Callable[[Tensor], Tensor],
    num_steps: int,
    **options: Any,
) -> None:
    """Plain gradient descent of the balancer's value."""
    optimizer = torch.optim.SGD([shared, *balancer.parameters()], **options)
    for _ in range(num_steps):
        optimizer.zero_grad()
        balancer.backward(losses(shared), [shared])
        optimizer.step()
