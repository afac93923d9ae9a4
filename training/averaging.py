"""Averaging: the exponential moving average of the weights, which is short at first: what was before is soon gone."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def average_decay(decay: float, step: int) -> float:
    """What a step, counted from 1, leaves of the average before it."""
    return min(decay, step / (9 + step))


def log_average_decay(decay: float, step: Tensor | int) -> Tensor:
    """The logarithm of what the steps up to `step` leave, but for a constant: their product in closed form."""
    steps = torch.as_tensor(step, dtype=torch.float64)
    reached = torch.tensor(float(math.floor(9 * decay / (1 - decay))), dtype=torch.float64)  # last of the growing ones
    growing = torch.minimum(steps, reached.to(steps.device))
    return torch.lgamma(growing + 1) - torch.lgamma(growing + 10) + (steps - growing) * math.log(decay)


@torch.no_grad()
def follow(averages: Sequence[Tensor], weights: Sequence[Tensor], decay: float) -> None:
    """One step of the average."""
    torch._foreach_lerp_(list(averages), list(weights), 1 - decay)
