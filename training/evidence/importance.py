"""Importance: what each task loses when a feature is shuffled among rows (permutation importance, Breiman 2001)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.contract.features.interface import Side
from model.contract.features.match import Match
from model.contract.schema import FeatureSchema
from training.dataset import SplitData
from training.evaluation import compute_logits, evaluated_tasks
from training.evidence.draws import Interval
from training.evidence.subject import Absent, Alarm, Subject, take
from training.metrics import METRICS, main_metric

NUM_FOLDS = 5
FOLD_ROWS = 2_500
MOST_ROWS = 525_000  # that are predicted in all, however many features there are
STUDENT = 2.776  # 97.5% point of the t distribution with NUM_FOLDS - 1 degrees of freedom


@dataclass(frozen=True, slots=True)
class Importance:
    """`drops[task][feature]`: how much worse the task's main metric gets, positive whatever the metric's direction;
    `sides` of the features, in the order of the config.
    """

    metrics: Mapping[str, str]
    drops: Mapping[str, Mapping[str, Interval]]
    sides: Mapping[str, Side]
    num_rows: int

    def known(self, task: str) -> bool:
        """Whether every fold had what the task's metric takes: rows of both classes."""
        return all(np.isfinite(one.value) for one in self.drops[task].values())

    @property
    def idle(self) -> list[str]:
        """Features that no task is surely worse without."""
        return [name for name in self.sides if not any(drops[name].low > 0 for drops in self.drops.values())]

    @property
    def alarms(self) -> Iterator[Alarm]:
        for task, drops in self.drops.items():
            known = {name: one.value for name, one in drops.items() if one.value > 0}
            name = max(known, key=lambda one: known[one], default="")
            if len(known) > 2 and known[name] > 0.8 * sum(known.values()):
                yield Alarm(
                    f"{task} leans on {name} almost alone: does it leak what is to be predicted?", serious=False
                )


def measure(subject: Subject) -> Importance:
    """On folds of validation rows, each shuffled once: the interval holds the chance of the shuffle and of the rows.

    All arrays of a feature are shuffled together. Two features that say the same share what they are worth.
    """
    groups = arrays_by_feature(subject.dataset.schema)
    split = subject.valid.split
    random = np.random.default_rng(0)
    size = min(FOLD_ROWS, split.num_rows // NUM_FOLDS, MOST_ROWS // (NUM_FOLDS * len(groups)))
    if not size:
        raise Absent(f"{split.num_rows} validation rows are too few to shuffle")
    order = random.permutation(split.num_rows)
    folds = [take(split, np.sort(order[at * size : (at + 1) * size])) for at in range(NUM_FOLDS)]
    drops = np.stack([_drops(subject, fold, list(groups.values()), random) for fold in folds])
    specs = subject.dataset.schema.specs
    return Importance(
        {task.name: main_metric(task.kind) for task in subject.tasks},
        {
            task.name: {name: _interval(drops[:, row, at]) for row, name in enumerate(groups)}
            for at, task in enumerate(subject.tasks)
        },
        {name: specs[names[0]].side for name, names in groups.items()},
        size * NUM_FOLDS,
    )


def arrays_by_feature(schema: FeatureSchema) -> dict[str, list[str]]:
    """The arrays that the ranker reads when it serves, by the feature of the config that they come from."""
    groups = {}
    for one in schema.features:
        specs = one.specs(schema.histories[one.of], schema.discrete(one.on)) if isinstance(one, Match) else one.specs
        names = [spec.name for spec in specs if not spec.hidden and spec.side is not Side.IMPRESSION]
        if names:
            groups[one.name] = names
    return groups


def _drops(
    subject: Subject, fold: SplitData, groups: list[list[str]], random: np.random.Generator
) -> NDArray[np.float64]:
    """`[feature, task]`."""
    whole = _main_metrics(subject, fold)
    drops = []
    for names in groups:
        shuffled = random.permutation(fold.num_rows)
        arrays = fold.arrays | {name: fold.arrays[name][shuffled] for name in names}
        drops.append(whole - _main_metrics(subject, replace(fold, arrays=arrays)))
    return np.stack(drops)


def _main_metrics(subject: Subject, fold: SplitData) -> NDArray[np.float64]:
    """`[task]`, more always better."""
    logits = compute_logits(subject.ranker, fold)
    values = []
    for task, one in evaluated_tasks(subject.ranker.calibration, subject.tasks, logits, fold):
        metric = METRICS[task.kind][main_metric(task.kind)]
        values.append(metric.direction * metric.compute(one) if len(one.labels) else float("nan"))
    return np.array(values)


def _interval(folds: NDArray[np.float64]) -> Interval:
    mean, half = float(folds.mean()), float(STUDENT * folds.std(ddof=1) / np.sqrt(NUM_FOLDS))
    return Interval(mean, mean - half, mean + half)
