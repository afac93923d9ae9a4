"""Slices: how good the ranker is for parts of the test rows, the worst of them first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.contract.tasks import Task, TaskKind
from training.evidence.draws import Interval
from training.evidence.intervals import interval
from training.evidence.slicing import Slice, by_feature, newness
from training.evidence.subject import Absent, Alarm, Scored, Subject
from training.metrics import METRICS, Evaluated, main_metric, metric_name

FEWEST_ROWS = 200
FEWEST_OF_A_CLASS = 10
NUM_WORST = 8
NUM_CANDIDATES = 16  # the worst by the figure itself, which get an interval
LARGEST_GAP = {TaskKind.BINARY: 0.05, TaskKind.REGRESSION: 0.25}  # AUC lost; share of the error gained


@dataclass(frozen=True, slots=True)
class SliceQuality:
    name: str
    num_rows: int
    metric: Interval


@dataclass(frozen=True, slots=True)
class TaskSlices:
    """`overall` is the main metric of all test rows; `known` are users and videos by how often training met them,
    `worst` parts by feature, the surely worst first.
    """

    task: Task
    metric: str
    overall: Interval
    known: tuple[SliceQuality, ...]
    worst: tuple[SliceQuality, ...]

    @property
    def direction(self) -> int:
        return METRICS[self.task.kind][self.metric].direction

    def lost(self, one: SliceQuality) -> float:
        """By how much a slice is surely worse than the whole: its interval's better end against the overall figure."""
        best = one.metric.high if self.direction > 0 else one.metric.low
        return self.direction * (self.overall.value - best)


@dataclass(frozen=True, slots=True)
class Slices:
    tasks: tuple[TaskSlices, ...]

    @property
    def alarms(self) -> Iterator[Alarm]:
        """Of who is new or active. A slice of a feature may be harder by nature: where `popularity` separates clicks
        from the rest, a quarter of it leaves little to separate.
        """
        for one in self.tasks:
            allowed = LARGEST_GAP[one.task.kind] * (1.0 if one.task.kind is TaskKind.BINARY else one.overall.value)
            for part in one.known:
                if one.lost(part) > allowed:
                    figures = f"{part.metric.value:.3f} against {one.overall.value:.3f} overall"
                    yield Alarm(f"{one.task.name} is far worse for {part.name}: {metric_name(one.metric)} {figures}.")


def measure(subject: Subject) -> Slices:
    split = subject.test.split
    known = list(newness(subject.run.preparation, subject.dataset, split))
    # What two features say of the same rows (nothing known of a user) is said once.
    parts = {one.rows.tobytes(): one for one in reversed(list(by_feature(subject.dataset, split)))}
    tasks = [_of_task(task, at, subject.test, known, list(parts.values())) for at, task in enumerate(subject.tasks)]
    if not any(one.known or one.worst for one in tasks):
        raise Absent(f"no part of the test rows has {FEWEST_ROWS} rows")
    return Slices(tuple(tasks))


def _of_task(task: Task, at: int, scored: Scored, known: Sequence[Slice], parts: Sequence[Slice]) -> TaskSlices:
    sliced = _Sliced(task, scored, at)
    metric = METRICS[task.kind][sliced.metric]
    figures = {
        one.name: metric.compute(_rows_of(sliced.whole, one.rows[sliced.seen])) for one in parts if sliced.shows(one)
    }
    by_name = {one.name: one for one in parts}
    candidates = sorted(figures, key=lambda name: metric.direction * figures[name])[:NUM_CANDIDATES]
    found = TaskSlices(
        task,
        sliced.metric,
        sliced.quality(Slice("all", np.ones(scored.split.num_rows, dtype=bool))).metric,
        tuple(sliced.quality(one) for one in known if sliced.shows(one)),
        tuple(sliced.quality(by_name[name]) for name in candidates),
    )
    worst = sorted((one for one in found.worst if np.isfinite(found.lost(one))), key=found.lost, reverse=True)
    return replace(found, worst=tuple(worst[:NUM_WORST]))


class _Sliced:
    """One task's main metric of any part of the rows."""

    def __init__(self, task: Task, scored: Scored, at: int) -> None:
        self.kind, self.metric = task.kind, main_metric(task.kind)
        self.whole, self.seen = scored.tasks[task.name], scored.observed(at)
        self.draws = scored.draws.at(self.seen)

    def shows(self, one: Slice) -> bool:
        """Whether there is enough to tell anything, and whether it is a part at all."""
        rows = one.rows[self.seen]
        if not FEWEST_ROWS <= rows.sum() < len(rows):
            return False
        positive = (self.whole.labels[rows] > 0).sum()
        return self.kind is not TaskKind.BINARY or min(positive, rows.sum() - positive) >= FEWEST_OF_A_CLASS

    def quality(self, one: Slice) -> SliceQuality:
        rows = one.rows[self.seen]
        part = _rows_of(self.whole, rows)
        return SliceQuality(one.name, len(part.labels), interval(self.kind, self.metric, part, self.draws.at(rows)))


def _rows_of(one: Evaluated, rows: NDArray[np.bool_]) -> Evaluated:
    parts = (one.predictions[rows], one.labels[rows], one.transformed[rows], one.targets[rows])
    return Evaluated(*parts, one.users[rows])
