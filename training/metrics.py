"""Metrics: how good predictions are, each with its direction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.contract.tasks import TaskKind

Array = NDArray[np.float64]
NUM_BINS = 20


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One task's observed rows, each field `[row]`. `predictions` and `labels` are in the task's unit, `transformed`
    and `targets` on the scale of learning (log-odds for a binary task); `users` identify users.
    """

    predictions: Array
    labels: Array
    transformed: Array
    targets: Array
    users: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Metric:
    """`direction` is 1 where more is better, -1 where less is."""

    compute: Callable[[Evaluated], float]
    direction: int


def ranks(values: Array) -> Array:
    """Ranks from 1, ties averaged."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[inverse]


def auc(scores: Array, labels: Array) -> float:
    """The chance that a positive row scores above a negative one, ties half; NaN with one class only."""
    positive = labels > 0
    num_positive, num_negative = int(positive.sum()), int((~positive).sum())
    if not num_positive or not num_negative:
        return float("nan")
    return float(
        (ranks(scores)[positive].sum() - num_positive * (num_positive + 1) / 2) / (num_positive * num_negative)
    )


def aucs_by_group(
    scores: Array, labels: Array, groups: NDArray[np.int64]
) -> tuple[Array, NDArray[np.int64], NDArray[np.int64]]:
    """Of each group that has both classes its AUC, how many rows it has, and the number of one of them."""
    order = np.lexsort((scores, groups))  # by group, then by score
    by_score, positive = scores[order], labels[order] > 0
    first = np.append(True, groups[order][1:] != groups[order][:-1])
    group = np.cumsum(first) - 1
    run = np.cumsum(first | np.append(True, by_score[1:] != by_score[:-1])) - 1  # equal scores of one group
    sizes, lengths = np.bincount(group), np.bincount(run)
    place = (np.cumsum(lengths) - (lengths - 1) / 2)[run] - (np.cumsum(sizes) - sizes)[group]  # ranks in the group
    num_positive = np.bincount(group, weights=positive)
    pairs = num_positive * (sizes - num_positive)
    above = np.bincount(group, weights=place * positive) - num_positive * (num_positive + 1) / 2
    useful = pairs > 0
    return above[useful] / pairs[useful], sizes[useful], order[first][useful]


def grouped_auc(scores: Array, labels: Array, groups: NDArray[np.int64]) -> float:
    """GAUC: the mean AUC of the groups that have both classes, weighted by their rows (Zhu et al., KDD 2017)."""
    aucs, sizes, _ = aucs_by_group(scores, labels, groups)
    return float(np.average(aucs, weights=sizes)) if len(aucs) else float("nan")


def log_losses(predictions: Array, labels: Array) -> Array:
    clipped = np.clip(predictions, 1e-7, 1 - 1e-7)
    return -(labels * np.log(clipped) + (1 - labels) * np.log1p(-clipped))


def log_loss(predictions: Array, labels: Array) -> float:
    return float(log_losses(predictions, labels).mean())


def calibration_bins(predictions: Array, labels: Array) -> tuple[NDArray[np.int64], Array]:
    """`[row]` the bin, of NUM_BINS with equally many rows each, which a rare task needs; and `[row]` the label, its
    mean over equal predictions.
    """
    _, inverse, counts = np.unique(predictions, return_inverse=True, return_counts=True)
    labels = (np.bincount(inverse, weights=labels) / counts)[inverse]  # equal predictions: their order says nothing
    bins = np.empty(len(predictions), dtype=np.int64)
    for at, rows in enumerate(np.array_split(np.argsort(predictions, kind="stable"), NUM_BINS)):
        bins[rows] = at
    return bins, labels


def calibration_error(predictions: Array, labels: Array) -> float:
    """ECE: mean |mean prediction - mean label| over bins of equally many rows."""
    bins, labels = calibration_bins(predictions, labels)
    return float(np.abs(np.bincount(bins, weights=predictions - labels)).sum() / len(predictions))


def root_mean_squared(errors: Array) -> float:
    return float(np.sqrt(np.mean(errors**2)))


def spearman(left: Array, right: Array) -> float:
    if np.ptp(left) == 0 or np.ptp(right) == 0:
        return float("nan")
    return float(np.corrcoef(ranks(left), ranks(right))[0, 1])


def discounted_gains(order_by: Array, gains: Array, groups: NDArray[np.int64], k: int) -> Array:
    """DCG@k `[group, ...]`, in the order of their numbers, of gains `[row, ...]`; ties keep the order of the rows."""
    order = np.lexsort((-order_by, groups))
    starts = np.flatnonzero(np.diff(groups[order], prepend=groups[order[0]] - 1))
    sizes = np.diff(np.append(starts, len(order)))
    place = np.arange(len(order)) - np.repeat(starts, sizes)
    discount = np.where(place < k, np.log2(place + 2), np.inf)
    return np.add.reduceat((gains[order].T / discount).T, starts)


def ndcg(scores: Array, gains: Array, groups: NDArray[np.int64], k: int) -> float:
    """Mean NDCG@k with linear gains over the groups that have any gain."""
    found, ideal = (discounted_gains(order_by, gains, groups, k) for order_by in (scores, gains))
    useful = ideal > 0
    return float(np.mean(found[useful] / ideal[useful])) if useful.any() else float("nan")


# The first metric of a kind is its main one.
METRICS: Mapping[TaskKind, Mapping[str, Metric]] = {
    TaskKind.BINARY: {
        "auc": Metric(lambda one: auc(one.transformed, one.labels), 1),
        "gauc": Metric(lambda one: grouped_auc(one.transformed, one.labels, one.users), 1),
        "log_loss": Metric(lambda one: log_loss(one.predictions, one.labels), -1),
        "ece": Metric(lambda one: calibration_error(one.predictions, one.labels), -1),
    },
    TaskKind.REGRESSION: {
        "rmse_transformed": Metric(lambda one: root_mean_squared(one.transformed - one.targets), -1),
        "rmse": Metric(lambda one: root_mean_squared(one.predictions - one.labels), -1),
        "mae": Metric(lambda one: float(np.abs(one.predictions - one.labels).mean()), -1),
        "spearman": Metric(lambda one: spearman(one.predictions, one.labels), 1),
    },
}


def main_metric(kind: TaskKind) -> str:
    return next(iter(METRICS[kind]))


SPELLED = {"auc": "AUC", "gauc": "GAUC", "ece": "ECE", "rmse": "RMSE", "mae": "MAE", "spearman": "Spearman"}


def metric_name(name: str) -> str:
    """As people write it."""
    return " ".join(SPELLED.get(word, word) for word in name.split("_"))
