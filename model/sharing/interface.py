"""What every sharing architecture promises: the shared hidden layer in, one representation per task out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.contract.mistakes import Strict


class Sharing(nn.Module, ABC):
    """How tasks share parameters. `out_dim` is the width of each task's representation.

    What belongs to tasks has an axis of tasks, in the config's order, never folded into another.
    """

    out_dim: int

    @abstractmethod
    def forward(self, hidden: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch task out"]:
        """Task `k` of the config at index `k`; permuting tasks permutes the output and nothing else.

        Where tasks have inputs of their own (`SharingConfig.shares_inputs`), `hidden` has the tasks' blocks in order.
        """

    @abstractmethod
    def shared_parameters(self) -> Sequence[nn.Parameter]:
        """Those that more than one task is computed from; a value of any other is read by one task alone."""

    def penalty(self) -> Float[Tensor, ""]:
        """What the tie between the tasks adds to the loss, if it is a tie by penalty."""
        return torch.zeros(())


class SharingConfig(ABC, Strict):
    """The `sharing:` of a run config. `shares_inputs` says whether embeddings and hidden layer are one for all tasks;
    `min_tasks` is how many it takes to be anything at all.
    """

    shares_inputs: ClassVar[bool] = True
    min_tasks: ClassVar[int] = 1

    @abstractmethod
    def build(self, in_dim: int, num_tasks: int) -> Sharing:
        """`in_dim` is the width of `hidden`, a multiple of `num_tasks` where tasks have inputs of their own."""
