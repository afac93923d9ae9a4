"""Calibration: logits to predictions that mean what they say, in each task's unit; fitted on validation, exported."""

from collections.abc import Callable, Sequence
from itertools import groupby

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.contract.scaling import Transform
from model.contract.tasks import Task, TaskKind
from model.entry import side_by_side, taken_apart

Link = Callable[[Tensor], Tensor]


def _signed_expm1(values: Tensor) -> Tensor:
    return torch.sign(values) * torch.expm1(torch.abs(values))


INVERSES: dict[Transform, Link] = {Transform.NONE: lambda values: values, Transform.LOG1P: _signed_expm1}


def link(task: Task) -> Link:
    """From the scale on which a task is learned to its unit."""
    return torch.sigmoid if task.kind is TaskKind.BINARY else INVERSES[task.transform]


class Calibration(nn.Module):
    """prediction = clip(scale * link(slope * logit + intercept), bounds), each task with its own three figures.

    For binary tasks this is Platt's scaling (Platt 1999). For regression slope and intercept are a least-squares line
    on the transformed scale, and `scale` makes the mean prediction equal the mean label there, which the inverse of a
    logarithm would not (Duan, JASA 1983).
    """

    slope: Tensor
    intercept: Tensor
    scale: Tensor

    def __init__(self, tasks: Sequence[Task], deviations: Sequence[float], means: Sequence[float]) -> None:
        """Starts with what undoes the standardisation of labels: `deviations` and `means` on the transformed scale."""
        super().__init__()
        self.links = [link(task) for task in tasks]
        self.bounds = [task.bounds for task in tasks]
        self.register_buffer("slope", torch.tensor(deviations))
        self.register_buffer("intercept", torch.tensor(means))
        self.register_buffer("scale", torch.ones(len(tasks)))

    def transformed(self, logits: Float[Tensor, "batch task"]) -> Float[Tensor, "batch task"]:
        """Calibrated, still on the scale of learning: log-odds, or the label's transform."""
        return logits * self.slope + self.intercept

    def forward(self, logits: Float[Tensor, "batch task"]) -> Float[Tensor, "batch task"]:
        # Neighbours of one link are turned together.
        runs = [(one, len(list(some))) for one, some in groupby(self.links)]
        parts = taken_apart(self.transformed(logits), [length for _, length in runs])
        linked = side_by_side([one(part) for (one, _), part in zip(runs, parts, strict=True)], 1)
        low, high = zip(*self.bounds, strict=True)
        return (linked * self.scale).clamp(
            torch.tensor(low, device=logits.device), torch.tensor(high, device=logits.device)
        )
