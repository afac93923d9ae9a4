"""Reliability: what was predicted against what happened, bin by bin."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.contract.tasks import Task, TaskKind
from training.evidence.draws import Interval
from training.evidence.subject import Alarm, Scored, Subject
from training.metrics import NUM_BINS, calibration_bins, calibration_error

FEWEST_ROWS = 50  # of a bin; with fewer there are fewer bins
FEWEST_BINS = 5
LARGEST_GAP = 0.1  # of the mean prediction of a regression task against the mean label, as a share of the label


@dataclass(frozen=True, slots=True)
class TaskReliability:
    """Bins of equally many test rows, from the lowest predictions up: `predicted` `[bin]` their mean, `happened`
    `[bin]` the mean label with its interval, both in the task's unit; `error` is the mean gap between the two (the ECE
    of a binary task), `predictions` `[row]` are all of them.
    """

    task: Task
    error: float
    rows_per_bin: int
    predicted: NDArray[np.float64]
    happened: tuple[Interval, ...]
    predictions: NDArray[np.float64]
    mean_label: float


@dataclass(frozen=True, slots=True)
class Reliability:
    tasks: tuple[TaskReliability, ...]

    @property
    def alarms(self) -> Iterator[Alarm]:
        for one in self.tasks:
            if one.task.kind is TaskKind.REGRESSION and one.mean_label:
                off = one.predictions.mean() / one.mean_label - 1
                if abs(off) > LARGEST_GAP:
                    way = "above" if off > 0 else "below"
                    yield Alarm(
                        f"{one.task.name} is predicted {abs(off):.0%} {way} what happened, on the mean of test."
                    )


def measure(subject: Subject) -> Reliability:
    return Reliability(tuple(_of_task(task, at, subject.test) for at, task in enumerate(subject.tasks)))


def _of_task(task: Task, at: int, scored: Scored) -> TaskReliability:
    """Intervals of the labels, users resampled, in the bins of the whole sample: the ones that the ECE is made of."""
    one, draws = scored.tasks[task.name], scored.draws.at(scored.observed(at))
    bins, labels = calibration_bins(one.predictions, one.labels)
    num_bins = int(np.clip(len(labels) // FEWEST_ROWS, FEWEST_BINS, NUM_BINS))
    bins = bins * num_bins // NUM_BINS
    counts = np.bincount(bins)
    with np.errstate(invalid="ignore"):  # a draw may leave a bin empty
        replicates = draws.totals_by(labels, bins, num_bins) / draws.totals_by(np.ones_like(labels), bins, num_bins)
    low, high = task.bounds
    happened = np.bincount(bins, weights=labels) / counts
    return TaskReliability(
        task,
        calibration_error(one.predictions, one.labels),
        int(counts.min()),
        np.bincount(bins, weights=one.predictions) / counts,
        tuple(draws.interval(float(mean), replicates[:, which], low, high) for which, mean in enumerate(happened)),
        one.predictions,
        float(labels.mean()),
    )
