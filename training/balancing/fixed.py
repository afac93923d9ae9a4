"""Fixed weights: the sum of the task losses, each times its `loss_weight`."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.contract.tasks import Task
from training.balancing.interface import BalancingConfig, LossBalancer


class FixedConfig(BalancingConfig):
    kind: Literal["fixed"] = "fixed"

    def build(self, tasks: Sequence[Task]) -> "Fixed":
        return Fixed([task.loss_weight for task in tasks])


class Fixed(LossBalancer):
    weights: Tensor

    def __init__(self, weights: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("weights", torch.tensor(weights))

    def backward(self, losses: Float[Tensor, " task"], shared: Sequence[nn.Parameter]) -> Float[Tensor, ""]:  # noqa: ARG002
        total = (losses * self.weights).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total.detach()
