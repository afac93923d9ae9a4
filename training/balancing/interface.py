"""What every loss balancer promises: the task losses in, one backward pass out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.contract.mistakes import Strict
from model.contract.tasks import Task


class LossBalancer(nn.Module, ABC):
    """What it keeps between steps are buffers, what it learns are parameters: both travel in the checkpoint, and the
    optimizer steps the latter with the ranker's.

    `loss_weights` are the tasks' own. `weights` are what multiplied each task's loss in the newest step, or, where
    gradients are weighed, its gradient on the shared parameters. Both are `[task]`.
    """

    loss_weights: Tensor
    weights: Tensor

    def __init__(self, tasks: Sequence[Task]) -> None:
        super().__init__()
        self.register_buffer("loss_weights", torch.tensor([task.loss_weight for task in tasks]))
        self.register_buffer("weights", self.loss_weights.clone())

    @abstractmethod
    def backward(self, losses: Float[Tensor, " task"], shared: Sequence[nn.Parameter]) -> Float[Tensor, ""]:
        """Leave a gradient on the parameters that `losses` came from, which have none; returns the value that was
        optimised.

        `shared` are the parameters that more than one task is computed from; only there can tasks be in each other's
        way. A loss is finite, and 0 where its task was observed in no row of the batch.
        """

    def end_epoch(self, losses: Float[Tensor, " task"]) -> None:
        """Told each epoch's mean task losses."""


class BalancingConfig(ABC, Strict):
    """The `balancing:` of a run config. `needs_shared` says that it weighs gradients on shared parameters, and has
    nothing to do where there are none.
    """

    needs_shared: ClassVar[bool] = False

    @abstractmethod
    def build(self, tasks: Sequence[Task]) -> LossBalancer: ...


def weighted_backward(losses: Float[Tensor, " task"], weights: Float[Tensor, " task"]) -> Float[Tensor, ""]:
    """The backward pass of the weighted sum; returns that sum."""
    total = (losses * weights).sum()
    total.backward()  # type: ignore[no-untyped-call]
    return total.detach()
