"""Leakage: how well one feature alone tells a label, which no honest feature does almost perfectly."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.contract.columns import Column, Histories, Numbers, StringLists, Strings, Vectors
from model.contract.tasks import TaskKind
from training.metrics import auc, spearman

SUSPICIOUS = 0.98
FEWEST_OF_A_CLASS = 20  # with fewer, chance alone can look perfect
FEWEST_ROWS = 50
PRIOR_ROWS = 1.0
COMMON = 0.9
Array = NDArray[np.float64]


def tells(column: Column, labels: Array, kind: TaskKind) -> float:
    """AUC (or the AUC of the reverse order), or for a regression |Spearman|: 0.5 or 0 for nothing, 1 for everything.

    Of rows where feature and label (NaN where not observed) are present; NaN for too few of them. A category stands for
    the mean label that it has in the other half of the rows.
    """
    present = ~missing(column) & ~np.isnan(labels)
    if isinstance(column, Strings):
        halves = [present & (np.arange(len(labels)) % 2 == half) for half in (0, 1)]
        powers = [
            _power(_encoded(column, labels, other, rows), labels[rows], kind) for rows, other in (halves, halves[::-1])
        ]
        return float(np.mean(powers))
    numbers = READINGS.get(type(column))
    return _power(numbers(column)[present], labels[present], kind) if numbers else float("nan")


def gap_tells(column: Column, labels: Array) -> tuple[str, float] | None:
    """Where being `missing` or `present` all but decides a binary label: which of them, and the label's rate there."""
    seen, gone = ~np.isnan(labels), missing(column)
    overall = float(labels[seen].mean()) if seen.any() else 0.0
    for state, rows in (("missing", gone & seen), ("present", ~gone & seen)):
        if FEWEST_ROWS <= rows.sum() < seen.sum():
            rate = float(labels[rows].mean())
            if _decided(rate, overall):
                return state, rate
    return None


def _decided(rate: float, overall: float) -> bool:
    """Almost always or almost never, where that is not what most rows are anyway."""
    return (rate >= SUSPICIOUS and overall < COMMON) or (rate <= 1 - SUSPICIOUS and overall > 1 - COMMON)


def missing(column: Column) -> NDArray[np.bool_]:
    """`[row]`: no value, or an empty list."""
    return MISSING[type(column)](column)


def _power(scores: Array, labels: Array, kind: TaskKind) -> float:
    if kind is TaskKind.REGRESSION:
        return abs(spearman(scores, labels)) if len(labels) >= FEWEST_ROWS else float("nan")
    positive = int((labels > 0).sum())
    if min(positive, len(labels) - positive) < FEWEST_OF_A_CLASS:
        return float("nan")
    area = auc(scores, labels)
    return max(area, 1 - area)


def _encoded(column: Strings, labels: Array, learn: NDArray[np.bool_], rows: NDArray[np.bool_]) -> Array:
    """For `rows`, the smoothed mean label of their category among the rows `learn`."""
    size = len(column.distinct)
    sums = np.bincount(column.index[learn], weights=labels[learn], minlength=size)
    counts = np.bincount(column.index[learn], minlength=size)
    prior = labels[learn].mean() if learn.any() else 0.0
    means: Array = (sums + PRIOR_ROWS * prior) / (counts + PRIOR_ROWS)
    return means[column.index[rows]]


READINGS: dict[type[Column], Callable[[Any], Array]] = {
    Numbers: lambda column: column.values,
    StringLists: lambda column: column.lengths.astype(np.float64),
    Histories: lambda column: column.lengths.astype(np.float64),
}
MISSING: dict[type[Column], Callable[[Any], NDArray[np.bool_]]] = {
    Numbers: lambda column: np.isnan(column.values),
    Strings: lambda column: np.array([not one for one in column.distinct], dtype=bool)[column.index],
    StringLists: lambda column: column.lengths == 0,
    Histories: lambda column: column.lengths == 0,
    Vectors: lambda column: np.isnan(column.values).any(axis=1),
}
