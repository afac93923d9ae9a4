"""What every loss balancer promises: the task losses in, one backward pass out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from model.contract.mistakes import Strict
from model.contract.tasks import Task


class LossBalancer(nn.Module, ABC):
    """What it keeps between steps are buffers, what it learns are parameters: both travel in the checkpoint, and the
    optimizer steps the latter with the ranker's.
    """

    @abstractmethod
    def backward(self, losses: Float[Tensor, " task"], shared: Sequence[nn.Parameter]) -> Float[Tensor, ""]:
        """Leave a gradient on the parameters that `losses` came from; returns the value that was optimised.

        `shared` are the parameters that more than one task is computed from; only there can tasks be in each other's
        way.
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
