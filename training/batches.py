"""Batches: which rows each step of an epoch reads, and what they hold."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.contract.tasks import Task
from model.ranker import LabelScale
from training.config import TrainingConfig
from training.dataset import SplitData
from training.evaluation import batch_of
from training.hardware import moved
from training.labels import targets_of

BLOCKS_MIXED = 8  # a batch is drawn from this many blocks of neighbouring rows

Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """`arrays` by encoded array; `targets` and `observed` `[batch, task]`; `rows` are numbers in the original table."""

    arrays: dict[str, Tensor]
    targets: Tensor
    observed: Tensor
    rows: Rows

    def on(self, device: torch.device) -> "TrainingBatch":
        labels = moved({"targets": self.targets, "observed": self.observed}, device)
        return TrainingBatch(moved(self.arrays, device), rows=self.rows, **labels)


@dataclass(frozen=True, slots=True)
class Batches:
    """The batches of every epoch, a function of these fields and the epoch's number alone."""

    split: SplitData
    tasks: Sequence[Task]
    scales: Sequence[LabelScale]
    settings: TrainingConfig

    def __len__(self) -> int:
        """In each epoch, whichever way rows are drawn."""
        return -(-self.split.num_rows // self.settings.batch_size)

    def of_epoch(self, epoch: int, first: int) -> Iterator[TrainingBatch]:
        """From the batch number `first` on."""
        for rows, counted in islice(self._drawn(epoch), first, None):
            yield TrainingBatch(
                batch_of(self.split, rows),
                torch.from_numpy(targets_of(self.tasks, self.scales, self.split.values[rows])),
                torch.from_numpy(self.split.observed[rows] & counted),
                self.split.rows[rows],
            )

    def _drawn(self, epoch: int) -> Iterator[tuple[Rows, Flags]]:
        """Rows, and `[batch or 1, task]` for which tasks they count where observed."""
        settings, num_tasks = self.settings, len(self.tasks)
        seed = (settings.seed, epoch)
        if settings.task_sampling == "uniform":
            each = np.eye(num_tasks, dtype=bool)
            for rows, tasks in task_rows(self.split.observed, settings.batch_size, settings.block_rows, seed):
                yield rows, each[tasks]
        else:
            every = np.ones((1, num_tasks), dtype=bool)
            for rows in batch_rows(self.split.num_rows, settings.batch_size, settings.block_rows, seed):
                yield rows, every


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same in the same order, each made by a thread while the one before it is used."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


def batch_rows(num_rows: int, batch_size: int, block_rows: int, seed: Sequence[int]) -> Iterator[Rows]:
    """Row numbers of each batch of one epoch, a function of the arguments alone.

    Blocks of neighbouring rows come in random order, a few at a time are mixed row by row: random enough to learn from,
    and sequential enough for a disk. The last batch may be smaller.
    """
    random = np.random.default_rng(seed)
    starts = random.permutation(np.arange(0, num_rows, block_rows))
    left = np.empty(0, dtype=np.int64)
    for at in range(0, len(starts), BLOCKS_MIXED):
        some = [np.arange(start, min(start + block_rows, num_rows)) for start in starts[at : at + BLOCKS_MIXED]]
        mixed = np.concatenate([left, *some])
        random.shuffle(mixed)
        whole = len(mixed) - len(mixed) % batch_size
        yield from mixed[:whole].reshape(-1, batch_size)
        left = mixed[whole:]
    if len(left):
        yield left


def task_rows(
    observed: Flags, batch_size: int, block_rows: int, seed: Sequence[int]
) -> Iterator[tuple[Rows, NDArray[np.int64]]]:
    """Row numbers of each batch, and for which task each was drawn: for every row a task is drawn uniformly, then the
    next of the rows `[row, task]` where it is observed, which come in random order, and in another one when all have
    come. So tasks have equal parts of each batch, whatever their data sizes, and an epoch has as many draws as rows.

    A row should count for the task that it was drawn for and for no other: where a rare task is observed, rows are
    drawn more often than they occur, and what the others learned there would be no longer what is.
    """
    num_rows, num_tasks = observed.shape
    random = np.random.default_rng(seed)
    streams = [_Stream(_chunks(observed, at, block_rows, one)) for at, one in enumerate(random.spawn(num_tasks))]
    for start in range(0, num_rows, batch_size):
        tasks = random.integers(num_tasks, size=min(batch_size, num_rows - start))
        rows = np.empty(len(tasks), dtype=np.int64)
        for at, stream in enumerate(streams):
            mine = tasks == at
            rows[mine] = stream.take(int(mine.sum()))
        yield rows, tasks


class _Stream:
    """Rows one after another, out of chunks."""

    def __init__(self, chunks: Iterator[Rows]) -> None:
        self.chunks, self.left = chunks, np.empty(0, dtype=np.int64)

    def take(self, count: int) -> Rows:
        while len(self.left) < count:
            self.left = np.concatenate([self.left, next(self.chunks)])
        taken, self.left = self.left[:count], self.left[count:]
        return taken


def _chunks(observed: Flags, task: int, block_rows: int, random: np.random.Generator) -> Iterator[Rows]:
    """The rows where the task is observed, over and over: mixed as in `batch_rows`, which bounds what is held. Where
    one chunk has them all, they are looked for once.
    """
    most = BLOCKS_MIXED * block_rows
    while True:
        found, all_at_once = [np.empty(0, dtype=np.int64)], True
        for start in random.permutation(np.arange(0, len(observed), block_rows)):
            found.append(start + np.flatnonzero(observed[start : start + block_rows, task]))
            if sum(map(len, found)) >= most:
                yield random.permutation(np.concatenate(found))
                found, all_at_once = found[:1], False
        rest = np.concatenate(found)
        while all_at_once:
            yield random.permutation(rest)
        yield random.permutation(rest)
