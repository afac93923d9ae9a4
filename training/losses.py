"""Task losses: each over the impressions in which its task was observed."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from model.contract.tasks import TaskKind

Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy(logits: Float[Tensor, " batch"], targets: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    return functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")


def squared_error(logits: Float[Tensor, " batch"], targets: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """On standardised targets: of the same size as a cross-entropy, whatever the task's unit."""
    return functional.mse_loss(logits, targets, reduction="none")


LOSSES: dict[TaskKind, Loss] = {TaskKind.BINARY: cross_entropy, TaskKind.REGRESSION: squared_error}


def row_losses(
    kinds: Sequence[TaskKind],
    logits: Float[Tensor, "batch task"],
    targets: Float[Tensor, "batch task"],
    observed: Bool[Tensor, "batch task"],
) -> Float[Tensor, "batch task"]:
    """Every loss by itself; what stands where a task is not observed means nothing."""
    # A target that was never observed may be anything, NaN too: it must reach neither the loss nor its gradient.
    targets = torch.where(observed, targets, 0.0)
    return torch.stack([LOSSES[kind](logits[:, at], targets[:, at]) for at, kind in enumerate(kinds)], 1)


def task_losses(
    kinds: Sequence[TaskKind],
    logits: Float[Tensor, "batch task"],
    targets: Float[Tensor, "batch task"],
    observed: Bool[Tensor, "batch task"],
) -> Float[Tensor, " task"]:
    """The mean of each task's loss over its own sample space (Tang et al., RecSys 2020, equation 9); 0 where empty."""
    each = row_losses(kinds, logits, targets, observed)
    return (each * observed).sum(0) / observed.sum(0).clamp(min=1)
