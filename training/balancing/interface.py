"""What every loss balancer promises: the task losses in, one backward pass out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from model.contract.mistakes import Strict
from model.contract.tasks import Task


class LossBalancer(ABC):
    @abstractmethod
    def backward(self, losses: Float[Tensor, " task"]) -> Float[Tensor, ""]:
        """Leave a gradient on the parameters that `losses` came from; returns the value that was optimised."""


class BalancingConfig(ABC, Strict):
    """The `balancing:` of a run config."""

    @abstractmethod
    def build(self, tasks: Sequence[Task]) -> LossBalancer: ...
