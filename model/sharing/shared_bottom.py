"""Shared bottom (Caruana 1997): one network for all tasks; only the towers differ."""

from collections.abc import Sequence
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from model.batched import BatchedMLP
from model.sharing.interface import Chance, Sharing, SharingConfig, Widths


class SharedBottomConfig(SharingConfig):
    kind: Literal["shared_bottom"] = "shared_bottom"
    units: Widths = (256, 64)
    dropout: Chance = 0.0

    def build(self, in_dim: int, num_tasks: int) -> "SharedBottom":
        return SharedBottom(in_dim, num_tasks, self)


class SharedBottom(Sharing):
    def __init__(self, in_dim: int, num_tasks: int, config: SharedBottomConfig) -> None:
        super().__init__()
        self.bottom = BatchedMLP(1, (in_dim, *config.units), config.dropout)
        self.num_tasks, self.out_dim = num_tasks, config.units[-1]

    def forward(self, hidden: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch task out"]:
        return self.bottom(hidden).expand(-1, self.num_tasks, -1)

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        return list(self.bottom.parameters())
