"""Worst case: minimise the largest of the task losses, so that no task pays for the others."""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from model.contract.tasks import Task
from training.balancing.interface import BalancingConfig, LossBalancer, weighted_backward

FLOOR = 1e-3  # of a task's share: one that was easy for long is heard soon after it no longer is


class WorstCaseConfig(BalancingConfig):
    """`step_size` is how fast the weights move: the log of a share moves by it for a difference in loss of 1."""

    kind: Literal["worst_case"] = "worst_case"
    step_size: float = Field(default=0.01, gt=0)

    def build(self, tasks: Sequence[Task]) -> "WorstCase":
        return WorstCase(tasks, self)


class WorstCase(LossBalancer):
    """min over the network of max_k loss_weight_k L_k, which is the max over shares q on the simplex of
    sum_k q_k loss_weight_k L_k: descent on the network, exponentiated-gradient ascent on q (Sagawa et al., ICLR 2020,
    algorithm 1, with tasks for groups). The shares are kept above FLOOR / K, and sum to the number of tasks K in
    `weights`. A loss that the batch has no row for is the one that was last seen.

    Losses are compared as they are, of binary and regression tasks alike: `loss_weight` is the rate of exchange.
    """

    log_shares: Tensor
    newest: Tensor

    def __init__(self, tasks: Sequence[Task], config: WorstCaseConfig) -> None:
        super().__init__(tasks)
        self.step_size = config.step_size
        self.register_buffer("log_shares", torch.full((len(tasks),), -math.log(len(tasks))))
        self.register_buffer("newest", torch.zeros(len(tasks)))

    def backward(self, losses: Float[Tensor, " task"], shared: Sequence[nn.Parameter]) -> Float[Tensor, ""]:  # noqa: ARG002
        num_tasks, seen = len(losses), losses.detach()
        self.newest = torch.where(seen != 0, seen * self.loss_weights, self.newest)
        moved = (self.log_shares + self.step_size * self.newest).log_softmax(0)
        self.log_shares = moved.clamp(min=math.log(FLOOR / num_tasks)).log_softmax(0)
        self.weights = num_tasks * self.log_shares.exp() * self.loss_weights
        return weighted_backward(losses, self.weights)
