"""Support: how good the ranker is for users it never met, by how many of their past interactions it is shown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from model.contract.tasks import Task
from training.dataset import SplitData
from training.encoded_log import encode_chunk
from training.evidence.draws import Interval
from training.evidence.intervals import REPLICATES, interval
from training.evidence.subject import Absent, Alarm, Scored, Subject, take
from training.joined import ROW
from training.metrics import METRICS, main_metric
from training.splits import TEST, TRAIN, VALID

SUPPORTS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500)
FEWEST_USERS = 100
MOST_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class TaskSupport:
    """A task's main metric at each support, and by how much it is better than without history: above 0, history helps.
    For a gain the same users are drawn on both sides, which makes it surer than either figure.
    """

    task: Task
    metric: str
    values: tuple[Interval, ...]
    gains: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class SupportCurve:
    """The same rows of the same users at every support. `reached` are how many of the users have so many interactions;
    of the others all that they have is shown.
    """

    supports: tuple[int, ...]
    reached: tuple[int, ...]
    num_users: int
    num_rows: int
    tasks: tuple[TaskSupport, ...]

    @property
    def alarms(self) -> Iterator[Alarm]:
        for one in self.tasks:
            if one.gains[-1].high < 0:
                yield Alarm(f"{one.task.name} is predicted worse for new users with their history than without it.")


def measure(subject: Subject) -> SupportCurve:
    """Validation and test rows of users who have a history and no row in training. Histories are cut to the newest
    interactions and encoded anew; all else that is known of a user stays.
    """
    histories = subject.dataset.schema.histories
    if not histories:
        raise Absent("the ranker reads no history")
    [(name, history)] = histories.items()  # a request has one
    split, lengths = _newcomers(subject.dataset.splits, name)
    supports = (*(one for one in SUPPORTS if one < history.length), history.length)
    scored = [Scored.of(subject.ranker, subject.tasks, one) for one in _shown(subject, split, name, supports)]
    return SupportCurve(
        supports,
        tuple(int((lengths >= one).sum()) for one in supports),
        len(lengths),
        split.num_rows,
        tuple(_of_task(task, at, scored) for at, task in enumerate(subject.tasks)),
    )


def _newcomers(splits: Mapping[str, SplitData], name: str) -> tuple[SplitData, NDArray[np.int64]]:
    """Their rows, in the order of the table and without arrays, and `[user]` how many interactions each has."""
    parts, counted = [], []
    for split in (splits[VALID], splits[TEST]):
        rows = np.flatnonzero(~np.isin(split.users, splits[TRAIN].users))
        length = (np.asarray(split.arrays[name][rows]) > 0).sum(1)
        parts.append(take(replace(split, arrays={}), rows[length > 0]))
        counted.append(length[length > 0])
    whole, lengths = _together(parts), np.concatenate(counted)
    users, first, num_rows = np.unique(whole.users, return_index=True, return_counts=True)
    if len(users) < FEWEST_USERS:
        raise Absent(
            f"only {len(users)} users with a history are in validation or test and not in training; it takes "
            f"{FEWEST_USERS} to tell (a split by the user's id holds users out)"
        )
    known = np.cumsum(num_rows) <= MOST_ROWS  # users are hashes: the first of them are a random sample
    rows = np.flatnonzero(np.isin(whole.users, users[known]))
    return take(whole, rows[np.argsort(whole.rows[rows])]), lengths[first[known]]


def _together(parts: Sequence[SplitData]) -> SplitData:
    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(one, name) for one in parts])

    values, observed, users, groups, rows = map(joined, ("values", "observed", "users", "groups", "rows"))
    return SplitData("new users", {}, values, observed, users, groups, rows)


def _shown(subject: Subject, split: SplitData, name: str, supports: Sequence[int]) -> Iterator[SplitData]:
    """The same rows with only the newest interactions of each history, as many as each support says."""
    table = subject.run.preparation.joined()
    numbered = table.table.impressions.select(table.kept).with_row_index(ROW)
    frame = table.with_entities(numbered.filter(pl.col(ROW).is_in(split.rows.tolist())).collect())
    for one in supports:
        cut = frame.with_columns(pl.col(name).list.tail(one))
        yield replace(split, arrays=encode_chunk(subject.dataset.encoder, cut, table.table.source))


def _of_task(task: Task, at: int, scored: Sequence[Scored]) -> TaskSupport:
    metric = main_metric(task.kind)
    draws, direction = scored[0].draws.at(scored[0].observed(at)), METRICS[task.kind][metric].direction
    shown = [one.tasks[task.name] for one in scored]
    values = [interval(task.kind, metric, one, draws) for one in shown]
    with np.errstate(invalid="ignore", divide="ignore"):  # a draw may have no row of a class
        replicates = [REPLICATES[task.kind][metric](one, draws) for one in shown]
    gains = [
        draws.interval(
            direction * (value.value - values[0].value), direction * (drawn - replicates[0]), -np.inf, np.inf
        )
        for value, drawn in zip(values, replicates, strict=True)
    ]
    return TaskSupport(task, metric, tuple(values), tuple(gains))
