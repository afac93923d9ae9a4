"""GradNorm (Chen et al., ICML 2018): gradients of similar size from every task, larger from those that learn slowly."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from model.contract.tasks import Task
from training.balancing.gradients import gradients_apart, lay
from training.balancing.interface import BalancingConfig, LossBalancer


class GradNormConfig(BalancingConfig):
    """`alpha` is how strongly slow tasks are helped: 0 asks for equal norms alone. `smoothing` is what a step leaves of
    the running means of norms and losses.
    """

    needs_shared = True

    kind: Literal["grad_norm"] = "grad_norm"
    alpha: float = Field(default=1.5, ge=0)
    smoothing: float = Field(default=0.9, ge=0, lt=1)

    def build(self, tasks: Sequence[Task]) -> "GradNorm":
        return GradNorm(tasks, self)


class GradNorm(LossBalancer):
    """The norms of w_k grad L_k shall be as r_k^alpha, where r_k is how much of its first loss the task still has,
    against the mean of the tasks (equation 1), times the task's `loss_weight`. The weights sum to the number of tasks.

    Two differences from the paper. The weights are those for which its L_grad (equation 2) is zero, from running means,
    instead of one gradient step towards them: nothing is learned at a rate of its own. And norms are of the gradient on
    all shared parameters, not on one layer: what the last shared layer is, no architecture is asked.
    """

    norms: Tensor
    losses: Tensor
    first_losses: Tensor

    def __init__(self, tasks: Sequence[Task], config: GradNormConfig) -> None:
        super().__init__(tasks)
        self.alpha, self.smoothing = config.alpha, config.smoothing
        for name in ("norms", "losses", "first_losses"):  # 0 until the task was seen
            self.register_buffer(name, torch.zeros(len(tasks)))

    def backward(self, losses: Float[Tensor, " task"], shared: Sequence[nn.Parameter]) -> Float[Tensor, ""]:
        rows, values = gradients_apart(losses, shared), losses.detach()
        seen = rows.any(1)
        self.first_losses = torch.where(seen & (self.first_losses == 0), values, self.first_losses)
        self.losses = self._mean(self.losses, values, seen)
        self.norms = self._mean(self.norms, rows.norm(dim=1), seen)
        self.weights = self._balanced()
        lay(self.weights @ rows, shared)
        return (self.weights * values).sum()

    def _mean(
        self, mean: Float[Tensor, " task"], values: Float[Tensor, " task"], seen: Bool[Tensor, " task"]
    ) -> Float[Tensor, " task"]:
        moved = torch.where(mean == 0, values, torch.lerp(values, mean, self.smoothing))
        return torch.where(seen, moved, mean)

    def _balanced(self) -> Float[Tensor, " task"]:
        # In logarithms: what all tasks have in common, the mean norm and the mean rate, goes when the weights are
        # normalised, and no norm is too small to divide by. A task that was not seen yet has no gradient to weigh.
        known = (self.norms > 0) & (self.first_losses > 0) & (self.loss_weights > 0)
        rates = torch.where(known, self.losses / self.first_losses, 1.0)
        logs = self.loss_weights.log() + self.alpha * rates.log() - self.norms.log()
        if not known.any():
            return self.loss_weights
        return len(logs) * logs.where(known, -torch.inf).softmax(0)
