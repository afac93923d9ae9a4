"""Task uncertainty (Kendall et al., CVPR 2018): the noisier a task is found to be, the less its loss counts."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.contract.tasks import Task, TaskKind
from training.balancing.interface import BalancingConfig, LossBalancer

# What exp(-s) of a loss is multiplied by: a Gaussian's squared error has a half (equation 5), a softmax's loss has none
# (equation 10).
FACTORS: dict[TaskKind, float] = {TaskKind.REGRESSION: 0.5, TaskKind.BINARY: 1.0}


class UncertaintyConfig(BalancingConfig):
    kind: Literal["uncertainty"] = "uncertainty"

    def build(self, tasks: Sequence[Task]) -> "Uncertainty":
        return Uncertainty(tasks)


class Uncertainty(LossBalancer):
    """Minimises sum_k loss_weight_k (c_k exp(-s_k) L_k + s_k / 2) over the network and over s_k, the logarithm of task
    k's noise variance sigma_k^2: equations 7 and 10, with s learned in place of sigma, as the paper advises (section
    3.2). For regression the best s_k is log L_k: exp(s_k) is the variance of the noise, of the standardised label.

    The total goes below zero as soon as a variance falls below 1: by design, it is a negative log likelihood of a
    density. The unweighted losses say how the tasks fare.
    """

    factors: Tensor

    def __init__(self, tasks: Sequence[Task]) -> None:
        super().__init__(tasks)
        self.register_buffer("factors", torch.tensor([FACTORS[task.kind] for task in tasks]))
        self.log_variances = nn.Parameter(torch.zeros(len(tasks)))

    def backward(self, losses: Float[Tensor, " task"], shared: Sequence[nn.Parameter]) -> Float[Tensor, ""]:  # noqa: ARG002
        weights = self.loss_weights * self.factors * torch.exp(-self.log_variances)
        # A task that the batch has no row of says nothing about its noise.
        prior = self.loss_weights * self.log_variances / 2 * (losses.detach() != 0)
        total = (weights * losses + prior).sum()
        total.backward()  # type: ignore[no-untyped-call]
        self.weights = weights.detach()
        return total.detach()
