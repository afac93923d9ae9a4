"""Labels: a task's column to checked values and a mask of where it counts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from model.contract.columns import LARGEST
from model.contract.mistakes import InputError, mistake
from model.contract.scaling import TRANSFORMS
from model.contract.tasks import Task, TaskKind
from model.ranker import LabelScale

BLOCK_ROWS = 1_048_576


@dataclass(frozen=True, slots=True)
class Labels:
    """`values` `[row, task]` float32 in the task's unit (0 where not observed), `observed` `[row, task]`."""

    values: NDArray[np.float32]
    observed: NDArray[np.bool_]


def read_labels(chunk: pl.DataFrame, tasks: Sequence[Task], source: str, first_row: int) -> Labels:
    """Raises InputError with column, row and value for what is not a label of its task."""
    columns = [_task_labels(chunk, task, source, first_row) for task in tasks]
    return Labels(np.stack([one[0] for one in columns], 1), np.stack([one[1] for one in columns], 1))


def _task_labels(chunk: pl.DataFrame, task: Task, source: str, first_row: int) -> tuple[Any, Any]:
    series = chunk[task.label]
    where = f"{source}: column `{task.label}`"
    observed = series.is_not_null().to_numpy()
    if task.observed is not None:
        observed = observed & _mask(chunk[task.observed], f"{source}: column `{task.observed}`")
    if not (series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null)):
        raise mistake(where, f"the numbers of a {task.kind} task", f"a column of type {series.dtype}")
    values = series.cast(pl.Float64).fill_null(0.0).to_numpy()
    low, high = task.bounds
    wrong = observed & ~((values >= low) & (values <= high) & (np.abs(values) <= LARGEST))
    if task.kind is TaskKind.BINARY:
        wrong |= observed & (values != 0) & (values != 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise _wrong_label(task, f"{where}, row {first_row + row}", values[row])
    return np.where(observed, values, 0.0).astype(np.float32), observed


def _wrong_label(task: Task, where: str, value: float) -> InputError:
    low, high = task.bounds
    expected = "0 or 1" if task.kind is TaskKind.BINARY else f"a finite number between {low:g} and {high:g}"
    return mistake(where, f"{expected} (task `{task.name}`)", f"{value:g}")


def _mask(series: pl.Series, where: str) -> NDArray[np.bool_]:
    if not (series.dtype.is_integer() or series.dtype == pl.Boolean):
        raise mistake(where, "booleans, or 0 and 1", f"a column of type {series.dtype}")
    return series.cast(pl.Int64).fill_null(0).to_numpy() != 0


def scale_of(task: Task, values: NDArray[np.float32], observed: NDArray[np.bool_]) -> LabelScale:
    """Mean and deviation, after the transform, of the labels that were observed, 0 where they are all the same; a block
    at a time.
    """

    def total(of: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> float:
        blocks = (slice(start, start + BLOCK_ROWS) for start in range(0, len(values), BLOCK_ROWS))
        known = (values[rows][observed[rows]].astype(np.float64) for rows in blocks)
        return float(sum(of(TRANSFORMS[task.transform](one)).sum() for one in known))

    count = int(np.count_nonzero(observed))
    mean = total(lambda known: known) / count
    deviation = float(np.sqrt(total(lambda known: (known - mean) ** 2) / count))
    # Of a constant the deviation is nothing but rounding.
    return LabelScale(mean=mean, deviation=deviation if deviation > 1e-12 * abs(mean) else 0.0)


def targets_of(tasks: Sequence[Task], scales: Sequence[LabelScale], values: NDArray[Any]) -> NDArray[np.float32]:
    """`[row, task]`: binary labels as they are, regression labels transformed and standardised."""
    columns = [
        values[:, at]
        if task.kind is TaskKind.BINARY
        else (TRANSFORMS[task.transform](values[:, at].astype(np.float64)) - scale.mean) / scale.deviation
        for at, (task, scale) in enumerate(zip(tasks, scales, strict=True))
    ]
    return np.stack(columns, 1).astype(np.float32)
