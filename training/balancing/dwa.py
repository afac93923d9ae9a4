"""Dynamic weight averaging (Liu et al., CVPR 2019): the tasks whose loss falls slowest count most in the next epoch."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from model.contract.tasks import Task
from training.balancing.interface import BalancingConfig, LossBalancer, weighted_backward

LARGEST_RATIO = 1e6  # of a loss to the one before; what lies above is the whole weight anyhow, until it overflows


class DWAConfig(BalancingConfig):
    """`temperature`: the higher, the more equal the weights."""

    kind: Literal["dwa"] = "dwa"
    temperature: float = Field(default=2.0, gt=0)

    def build(self, tasks: Sequence[Task]) -> "DWA":
        return DWA(tasks, self)


class DWA(LossBalancer):
    """lambda_k(t) = K softmax_k(r_k(t - 1) / T), where r_k(t - 1) = L_k(t - 1) / L_k(t - 2) compares the mean losses of
    the last two epochs (equation 7), times the task's `loss_weight`. The first two epochs have equal lambdas.
    """

    losses_before: Tensor

    def __init__(self, tasks: Sequence[Task], config: DWAConfig) -> None:
        super().__init__(tasks)
        self.temperature = config.temperature
        self.register_buffer("losses_before", torch.zeros(len(tasks)))

    def backward(self, losses: Float[Tensor, " task"], shared: Sequence[nn.Parameter]) -> Float[Tensor, ""]:  # noqa: ARG002
        return weighted_backward(losses, self.weights)

    def end_epoch(self, losses: Float[Tensor, " task"]) -> None:
        ratios = torch.where(self.losses_before > 0, losses / self.losses_before, 1.0).clamp(max=LARGEST_RATIO)
        self.weights = self.loss_weights * len(losses) * (ratios / self.temperature).softmax(0)
        self.losses_before = losses
