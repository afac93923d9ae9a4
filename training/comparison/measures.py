"""Measures: the figures by which arms are compared, and what other users would have made of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from model.contract.mistakes import Strict
from model.contract.tasks import Task
from model.ranker import MultiTaskRanker
from training.config import RunConfig, Term
from training.dataset import SplitData
from training.evaluation import Array, evaluated_tasks
from training.evidence.draws import Draws
from training.evidence.intervals import REPLICATES
from training.metrics import METRICS, main_metric

NUM_DRAWS = 200  # a standard error is then right to 5%


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric of one task. `weight` is what it counts for in the utility, 0 where it is only shown; `direction` is 1
    where more is better, -1 for errors.
    """

    task: str
    metric: str
    weight: float
    direction: int

    @property
    def name(self) -> str:
        return f"{self.task}/{self.metric}"


def measures_of(config: RunConfig) -> list[Measure]:
    """What the utility is made of, then the main metric of each task that it says nothing of."""
    kinds = {task.name: task.kind for task in config.tasks}
    terms = config.training.early_stop.utility or tuple(Term(task=name) for name in kinds)
    named = {term.task for term in terms}
    weighed = [(term, term.weight) for term in terms]
    shown = [(Term(task=name), 0.0) for name in kinds if name not in named]
    found = []
    for term, weight in [*weighed, *shown]:
        metric = term.metric or main_metric(kinds[term.task])
        found.append(Measure(term.task, metric, weight, METRICS[kinds[term.task]][metric].direction))
    return found


class Figure(Strict):
    """A metric on one split, and once more for each draw of its users; null where it cannot be had."""

    value: float | None
    replicates: tuple[float | None, ...]


def figures(
    ranker: MultiTaskRanker, tasks: Sequence[Task], measures: Sequence[Measure], logits: Array, split: SplitData
) -> Iterator[tuple[str, Figure]]:
    """By the measures' names. The draws are a function of the split alone: of every arm they draw the same users."""
    draws = Draws.of(split.users, NUM_DRAWS)
    evaluated = {task.name: (task, one) for task, one in evaluated_tasks(ranker.calibration, tasks, logits, split)}
    places = {task.name: at for at, task in enumerate(tasks)}
    for measure in measures:
        task, rows = evaluated[measure.task]
        seen = draws.at(np.asarray(split.observed[:, places[measure.task]]))
        with np.errstate(invalid="ignore", divide="ignore"):  # a draw may have no row of a class
            replicates = REPLICATES[task.kind][measure.metric](rows, seen)
        value = METRICS[task.kind][measure.metric].compute(rows)
        yield measure.name, Figure(value=_or_null(value), replicates=tuple(map(_or_null, replicates.tolist())))


def _or_null(value: float) -> float | None:
    return value if np.isfinite(value) else None
