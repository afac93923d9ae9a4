"""Independent networks: nothing is shared, not even embeddings; the yardstick by which negative transfer is found."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor, nn

from model.batched import BatchedMLP
from model.sharing.interface import Chance, Sharing, SharingConfig, Widths


class IndependentConfig(SharingConfig):
    shares_inputs: ClassVar[bool] = False
    kind: Literal["independent"] = "independent"
    units: Widths = (256, 64)
    dropout: Chance = 0.0

    def build(self, in_dim: int, num_tasks: int) -> "Independent":
        return Independent(in_dim, num_tasks, self)


class Independent(Sharing):
    """As many single-task rankers, trained together: each task has embeddings, hidden layer and network of its own."""

    def __init__(self, in_dim: int, num_tasks: int, config: IndependentConfig) -> None:
        super().__init__()
        self.networks = BatchedMLP(num_tasks, (in_dim // num_tasks, *config.units), config.dropout)
        self.num_tasks, self.out_dim = num_tasks, config.units[-1]

    def forward(self, hidden: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch task out"]:
        return self.networks(hidden.view(hidden.shape[0], self.num_tasks, -1))

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        return []
