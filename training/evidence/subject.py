"""Subject: a trained ranker with its predictions of validation and test, which every exhibit looks at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from model.contract.tasks import Task
from model.contract.vocabulary import NUM_RESERVED
from model.ranker import MultiTaskRanker
from training.dataset import Dataset, SplitData
from training.evaluation import compute_logits, evaluated_tasks, predict
from training.evidence.draws import Draws
from training.metrics import Evaluated
from training.run import Run
from training.splits import TEST, VALID

Array = NDArray[np.float64]
T = TypeVar("T")


class Absent(Exception):
    """There is nothing to show, and why: one line."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A sentence about what needs attention; where it is not `serious` it is worth knowing and no more."""

    text: str
    serious: bool = True


@dataclass(frozen=True, slots=True)
class Scored:
    """A split as the ranker would serve it: `logits` and `predictions` `[row, task]`; `tasks` hold the rows where each
    task was observed; `draws` resample its users.
    """

    split: SplitData
    logits: Array
    predictions: Array
    tasks: Mapping[str, Evaluated]
    draws: Draws

    @classmethod
    def of(cls, ranker: MultiTaskRanker, tasks: Sequence[Task], split: SplitData) -> "Scored":
        logits = compute_logits(ranker, split)
        by_task = {task.name: one for task, one in evaluated_tasks(ranker.calibration, tasks, logits, split)}
        return cls(split, logits, predict(ranker.calibration, logits), by_task, Draws.of(split.users))

    def observed(self, at: int) -> NDArray[np.bool_]:
        """`[row]` whether the task number `at` counts there."""
        return np.asarray(self.split.observed[:, at])


@dataclass(frozen=True, slots=True)
class Subject:
    run: Run
    ranker: MultiTaskRanker
    dataset: Dataset
    valid: Scored
    test: Scored

    @classmethod
    def of(cls, run: Run, ranker: MultiTaskRanker, dataset: Dataset) -> "Subject":
        valid, test = (Scored.of(ranker, run.config.tasks, dataset.splits[name]) for name in (VALID, TEST))
        return cls(run, ranker, dataset, valid, test)

    @property
    def tasks(self) -> tuple[Task, ...]:
        return self.run.config.tasks


def take(split: SplitData, rows: NDArray[np.int64]) -> SplitData:
    """Some rows of a split, in memory."""
    return replace(
        split,
        arrays={name: np.asarray(array[rows]) for name, array in split.arrays.items()},
        values=split.values[rows],
        observed=split.observed[rows],
        users=split.users[rows],
        groups=split.groups[rows],
        rows=split.rows[rows],
    )


def values_of(dataset: Dataset, feature: str, codes: NDArray[np.int64]) -> list[str]:
    """The strings that codes of a category stand for."""
    tokens = dataset.encoder.fitted.vocabularies[dataset.schema.discrete(feature).table].tokens
    return [tokens[code - NUM_RESERVED].decode("utf-8", "replace") for code in codes]


def from_json(kind: TypeAdapter[T], path: Path) -> T:
    """What another command left in the run's folder; raises Absent where it is damaged."""
    try:
        return kind.validate_json(path.read_bytes())
    except ValidationError as error:
        raise Absent(f"{path.name} is damaged ({error.error_count()} mistakes in it)") from error
