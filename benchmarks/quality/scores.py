"""Scores: what predictions are worth, by the product's own metrics on the product's own rows."""

from collections.abc import Sequence

import numpy as np
import torch

from benchmarks.quality.arm import Array
from model.calibration import link
from model.contract.scaling import TRANSFORMS
from model.contract.tasks import Task
from training.dataset import SplitData
from training.metrics import METRICS, Evaluated, main_metric

Scores = dict[str, dict[str, float]]  # task, metric


def scores(tasks: Sequence[Task], split: SplitData, transformed: Array) -> Scores:
    """`transformed` `[row, task]` are predictions as `benchmarks.quality.arm.Predict` has them."""
    return {
        task.name: {name: metric.compute(one) for name, metric in METRICS[task.kind].items()}
        for at, task in enumerate(tasks)
        for one in [_evaluated(task, at, split, transformed[:, at])]
    }


def _evaluated(task: Task, at: int, split: SplitData, transformed: Array) -> Evaluated:
    seen = np.asarray(split.observed[:, at])
    labels, found = split.values[seen, at].astype(np.float64), transformed[seen].astype(np.float64)
    predictions = link(task)(torch.from_numpy(found)).numpy()
    return Evaluated(predictions, labels, found, TRANSFORMS[task.transform](labels), split.users[seen])


def utility(tasks: Sequence[Task], found: Scores) -> float:
    """The sum of the tasks' main metrics, errors negative: how WatchNext chooses its epoch, unless it is told."""
    mains = [(task, main_metric(task.kind)) for task in tasks]
    return sum(METRICS[task.kind][name].direction * found[task.name][name] for task, name in mains)
