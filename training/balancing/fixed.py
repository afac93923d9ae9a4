"""Fixed weights: the sum of the task losses, each times its `loss_weight`."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from model.contract.tasks import Task
from training.balancing.interface import BalancingConfig, LossBalancer


class FixedConfig(BalancingConfig):
    kind: Literal["fixed"] = "fixed"

    def build(self, tasks: Sequence[Task]) -> "Fixed":
        return Fixed(torch.tensor([task.loss_weight for task in tasks]))


class Fixed(LossBalancer):
    def __init__(self, weights: Float[Tensor, " task"]) -> None:
        self.weights = weights

    def backward(self, losses: Float[Tensor, " task"]) -> Float[Tensor, ""]:
        total = (losses * self.weights).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total.detach()
