"""What every sharing architecture promises: the shared hidden layer in, one representation per task out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from model.contract.mistakes import Strict
from model.entry import Entry

IS_WIDTH = "width"  # marks what `SharingConfig.scaled` scales
Width = Annotated[PositiveInt, IS_WIDTH]
Widths = Annotated[tuple[PositiveInt, ...], Field(min_length=1), IS_WIDTH]
Chance = Annotated[float, Field(ge=0, lt=1)]


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


class DirectSharing(Sharing):
    """One that reads its input through linear maps alone, its `entry`: it may do without a hidden layer before it, for
    `entry` can then be split as that layer's map is (`network.hidden_units: null`).
    """

    entry: Entry

    def forward(self, hidden: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch task out"]:
        return self.after(self.entry.activated(self.entry.apart(self.entry(hidden))))

    @abstractmethod
    def after(self, entered: Mapping[str, Tensor]) -> Float[Tensor, "batch task out"]:
        """What follows the `entry`, of its parts, `[batch, *shape]`, rectified."""


class SharingConfig(ABC, Strict):
    """The `sharing:` of a run config. `shares_inputs` says whether embeddings and hidden layer are one for all tasks;
    `is_direct` whether it builds a DirectSharing; `min_tasks` is how many it takes to be anything at all.
    """

    shares_inputs: ClassVar[bool] = True
    is_direct: ClassVar[bool] = False
    min_tasks: ClassVar[int] = 1

    @abstractmethod
    def build(self, in_dim: int, num_tasks: int) -> Sharing:
        """`in_dim` is the width of `hidden`, a multiple of `num_tasks` where tasks have inputs of their own."""

    def num_copies(self, num_tasks: int) -> int:
        """Of embeddings and hidden layer."""
        return 1 if self.shares_inputs else num_tasks

    def scaled(self, factor: float) -> "SharingConfig":
        """With every width `factor` times as large, rounded, and at least 1."""
        names = [name for name, field in type(self).model_fields.items() if IS_WIDTH in field.metadata]
        return self.model_copy(update={name: _scaled(getattr(self, name), factor) for name in names})


def _scaled(width: int | tuple[int, ...], factor: float) -> int | tuple[int, ...]:
    if isinstance(width, tuple):
        return tuple(max(1, round(one * factor)) for one in width)
    return max(1, round(width * factor))
