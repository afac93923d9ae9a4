"""Shared bottom (Caruana 1997): one network for all tasks; only the towers differ."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.batched import BatchedMLP
from model.entry import Entry
from model.sharing.interface import Chance, DirectSharing, SharingConfig, Widths

BOTTOM = "bottom"


class SharedBottomConfig(SharingConfig):
    is_direct: ClassVar[bool] = True
    kind: Literal["shared_bottom"] = "shared_bottom"
    units: Widths = (256, 64)
    dropout: Chance = 0.0

    def build(self, in_dim: int, num_tasks: int) -> "SharedBottom":
        return SharedBottom(in_dim, num_tasks, self)


class SharedBottom(DirectSharing):
    def __init__(self, in_dim: int, num_tasks: int, config: SharedBottomConfig) -> None:
        super().__init__()
        self.entry = Entry([in_dim], {BOTTOM: (1, config.units[0])})
        self.bottom = BatchedMLP(1, config.units, config.dropout)
        self.dropout = nn.Dropout(config.dropout)
        self.num_tasks, self.out_dim = num_tasks, config.units[-1]

    def after(self, entered: Float[Tensor, "batch entry"]) -> Float[Tensor, "batch task out"]:
        first = self.dropout(torch.relu(self.entry.apart(entered)[BOTTOM]))
        return self.bottom(first).expand(-1, self.num_tasks, -1)

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        return list(self.parameters())
