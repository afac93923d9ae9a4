"""What every sharing architecture promises: the shared hidden layer in, one representation per task out."""

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor, nn

from model.contract.mistakes import Strict


class Sharing(nn.Module, ABC):
    """How tasks share parameters. `out_dim` is the width of each task's representation."""

    out_dim: int

    @abstractmethod
    def forward(self, hidden: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch task out"]:
        """Task `k` of the config at index `k`; permuting tasks permutes the output and nothing else."""


class SharingConfig(ABC, Strict):
    """The `sharing:` of a run config."""

    @abstractmethod
    def build(self, in_dim: int, num_tasks: int) -> Sharing: ...
