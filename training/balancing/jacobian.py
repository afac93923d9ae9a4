"""Jacobian: task gradients merged where they are in each other's way, by an aggregator of the library torchjd."""

import warnings
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import model_validator
from torch import Tensor, nn

from model.contract.tasks import Task
from training.balancing.gradients import gradients_apart, lay
from training.balancing.interface import BalancingConfig, LossBalancer

Weighting = Callable[[Tensor], Tensor]  # from gradients `[task, parameter]` to what each counts in their sum `[task]`
AggregatorName = Literal["mgda", "pcgrad", "cagrad", "upgrad", "aligned_mtl", "nash_mtl"]
CAGRAD_RADIUS = 0.4  # c: how far from the mean gradient the direction may be, in lengths of it; below 1


def make_weighting(name: AggregatorName, num_tasks: int) -> Weighting:
    """Raises ImportError where the library, or a solver that the aggregator needs, is not installed."""
    from torchjd import aggregation

    makers: dict[AggregatorName, Callable[[], Weighting]] = {
        "mgda": lambda: aggregation.MGDA().weighting,
        "pcgrad": lambda: aggregation.PCGrad().weighting,
        "cagrad": lambda: aggregation.CAGrad(c=CAGRAD_RADIUS).weighting,
        "upgrad": lambda: aggregation.UPGrad().weighting,
        "aligned_mtl": lambda: aggregation.AlignedMTL().weighting,
        "nash_mtl": lambda: _of_unit_rows(aggregation.NashMTL(n_tasks=num_tasks).weighting),
    }
    return makers[name]()


def _of_unit_rows(weighting: Weighting) -> Weighting:
    """A bargain does not depend on how long the gradients are, but its solver does: it often gives up on others."""

    def weigh(rows: Tensor) -> Tensor:
        norms = rows.norm(dim=1)
        return weighting(rows / norms.unsqueeze(1)) / norms

    return weigh


class JacobianConfig(BalancingConfig):
    """`aggregator`: MGDA (Sener and Koltun, NeurIPS 2018), PCGrad (Yu et al., NeurIPS 2020), CAGrad (Liu et al.,
    NeurIPS 2021), UPGrad (Quinton and Rey, arXiv 2406.16232), Aligned-MTL (Senushkin et al., CVPR 2023), Nash-MTL
    (Navon et al., ICML 2022).
    """

    needs_shared = True

    kind: Literal["jacobian"] = "jacobian"
    aggregator: AggregatorName = "upgrad"

    @model_validator(mode="after")
    def _is_installed(self) -> "JacobianConfig":
        try:
            make_weighting(self.aggregator, num_tasks=2)
        except ImportError as error:
            missing = str(error).split(". ")[0]  # what follows is the library's own advice
            needed = f"what `{self.aggregator}` needs to be installed (pip install 'watchnext[balancing]'): {missing}"
            raise ValueError(needed) from error
        return self

    def build(self, tasks: Sequence[Task]) -> "Jacobian":
        return Jacobian(tasks, self)


class Jacobian(LossBalancer):
    """The rows of the Jacobian are the tasks' gradients on the shared parameters. Every aggregator is a weighted sum of
    them, with weights found anew in each step; `loss_weight` then multiplies the task's weight. A task's own parameters
    take the gradient of its own loss.

    A task that the batch has no row of is left out: its zero is no gradient that anything could be in the way of, and
    to MGDA it would be the best direction of all. The Jacobian is scaled to a norm of 1 before it is looked at, as
    some aggregators take small gradients for none.
    """

    def __init__(self, tasks: Sequence[Task], config: JacobianConfig) -> None:
        super().__init__(tasks)
        self.aggregator: AggregatorName = config.aggregator

    def backward(self, losses: Float[Tensor, " task"], shared: Sequence[nn.Parameter]) -> Float[Tensor, ""]:
        rows, values = gradients_apart(losses, shared), losses.detach()
        weights = torch.ones_like(values)
        seen = rows.any(1)
        # One gradient has nothing in its way; one that diverged is told by the loop, which no solver survives.
        if seen.sum() > 1 and rows.isfinite().all():
            weights[seen] = self._aggregated(rows[seen])
        self.weights = weights * self.loss_weights
        lay(self.weights @ rows, shared)
        return (self.weights * values).sum()

    def _aggregated(self, rows: Float[Tensor, "task parameter"]) -> Float[Tensor, " task"]:
        # Made anew: Nash-MTL would begin with what it found in the step before, and a resumed run would end elsewhere.
        weighting = make_weighting(self.aggregator, len(rows))
        with warnings.catch_warnings():  # of Nash-MTL's solver, about how its problem is stated and where it began
            warnings.simplefilter("ignore")
            return weighting(rows / rows.norm())
