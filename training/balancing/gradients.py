"""Gradients on the shared parameters, of each task by itself."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


def gradients_apart(losses: Float[Tensor, " task"], shared: Sequence[nn.Parameter]) -> Float[Tensor, "task parameter"]:
    """Each task's gradient on `shared`, flat and dense, by one backward pass a task. It leaves none there; every other
    parameter is left with the gradient of the sum of the losses, which is its own task's.
    """
    rows = []
    for loss in losses.unbind():
        loss.backward(retain_graph=True)  # type: ignore[no-untyped-call]
        rows.append(torch.cat([(torch.zeros_like(one) if one.grad is None else one.grad).flatten() for one in shared]))
        for one in shared:
            one.grad = None
    return torch.stack(rows)


def lay(gradient: Float[Tensor, " parameter"], shared: Sequence[nn.Parameter]) -> None:
    """Make the flat `gradient` that of `shared`."""
    for one, part in zip(shared, torch.split(gradient, [one.numel() for one in shared]), strict=True):
        one.grad = part.view_as(one)
