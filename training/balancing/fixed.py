"""Fixed weights: the sum of the task losses, each times its `loss_weight`."""

from collections.abc import Sequence
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from model.contract.tasks import Task
from training.balancing.interface import BalancingConfig, LossBalancer, weighted_backward


class FixedConfig(BalancingConfig):
    kind: Literal["fixed"] = "fixed"

    def build(self, tasks: Sequence[Task]) -> "Fixed":
        return Fixed(tasks)


class Fixed(LossBalancer):
    def backward(self, losses: Float[Tensor, " task"], shared: Sequence[nn.Parameter]) -> Float[Tensor, ""]:  # noqa: ARG002
        return weighted_backward(losses, self.weights)
