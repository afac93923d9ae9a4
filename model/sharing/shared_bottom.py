"""Shared bottom (Caruana 1997): one network for all tasks; only the towers differ."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

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
        self.entry = Entry([in_dim], {BOTTOM: (1, config.units[0])}, [BOTTOM])
        self.bottom = BatchedMLP(1, config.units, config.dropout)
        self.dropout = nn.Dropout(config.dropout)
        self.num_tasks, self.out_dim = num_tasks, config.units[-1]

    def after(self, entered: Mapping[str, Tensor]) -> Float[Tensor, "batch task out"]:
        return self.bottom(self.dropout(entered[BOTTOM])).expand(-1, self.num_tasks, -1)

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        return list(self.parameters())
