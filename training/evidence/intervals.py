"""Intervals of every metric: each is computed again for hundreds of draws of users at once, from weights."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from model.contract.tasks import TaskKind
from training.evidence.draws import Draws, Interval
from training.metrics import METRICS, NUM_BINS, Evaluated, aucs_by_group, calibration_bins, log_losses

Array = NDArray[np.float64]
Replicates = Callable[[Evaluated, Draws], Array]  # `[draw]`


def interval(kind: TaskKind, metric: str, one: Evaluated, draws: Draws) -> Interval:
    """`draws` are those of the rows of `one`."""
    chosen = METRICS[kind][metric]
    value = chosen.compute(one)
    if not np.isfinite(value):
        return Interval(value, value, value)
    with np.errstate(invalid="ignore", divide="ignore"):  # a draw may have no row of a class
        replicates = REPLICATES[kind][metric](one, draws)
    lowest, highest = (-1.0, 1.0) if chosen.direction > 0 else (0.0, float("inf"))
    return draws.interval(value, replicates, lowest, highest)


def _mean(values: Array, draws: Draws) -> Array:
    return draws.totals(values) / draws.totals(np.ones_like(values))


def _middle_ranks(ordered: Array, first: NDArray[np.intp], last: NDArray[np.intp]) -> Array:
    """`[draw, row]`: the weight below each row and half of that of its ties, itself among them.

    `ordered` `[draw, row]` are weights in the order of a value; of each row asked for, its ties are `first:last` there.
    """
    below = np.zeros((ordered.shape[0], ordered.shape[1] + 1))
    np.cumsum(ordered, axis=1, out=below[:, 1:])
    return (below[:, first] + below[:, last]) / 2


def _auc(one: Evaluated, draws: Draws) -> Array:
    """Of the pairs that middle ranks count, those of two positives make half the square of their weight."""
    order = np.argsort(one.transformed, kind="stable")
    scores, positive = one.transformed[order], one.labels[order] > 0
    first, last = (np.searchsorted(scores, scores[positive], side) for side in ("left", "right"))
    parts = []
    for weights in draws.at(order).blocks():
        of_positive = weights[:, positive]
        num_positive, total = of_positive.sum(1), weights.sum(1)
        below = (of_positive * _middle_ranks(weights, first, last)).sum(1) - num_positive**2 / 2
        parts.append(below / (num_positive * (total - num_positive)))
    return np.concatenate(parts)


def _grouped_auc(one: Evaluated, draws: Draws) -> Array:
    """A user is drawn as a whole, so their AUC never changes, only how often it counts."""
    aucs, sizes, rows = aucs_by_group(one.transformed, one.labels, one.users)
    of_users = draws.at(rows)
    return of_users.totals(aucs * sizes) / of_users.totals(sizes.astype(np.float64))


def _calibration_error(one: Evaluated, draws: Draws) -> Array:
    """In the bins of the whole sample."""
    bins, labels = calibration_bins(one.predictions, one.labels)
    gaps = draws.totals_by(one.predictions - labels, bins, NUM_BINS)
    return np.abs(gaps).sum(1) / draws.totals(np.ones(len(bins)))


def _spearman(one: Evaluated, draws: Draws) -> Array:
    sides = []
    for values in (one.predictions, one.labels):
        order = np.argsort(values, kind="stable")
        sides.append((order, *(np.searchsorted(values[order], values, side) for side in ("left", "right"))))
    parts = []
    for weights in draws.blocks():
        centre = weights.sum(1, keepdims=True) / 2  # the weighted mean of middle ranks
        left, right = (_middle_ranks(weights[:, order], first, last) - centre for order, first, last in sides)
        along = (weights * left * right).sum(1)
        parts.append(along / np.sqrt((weights * left**2).sum(1) * (weights * right**2).sum(1)))
    return np.concatenate(parts)


REPLICATES: Mapping[TaskKind, Mapping[str, Replicates]] = {
    TaskKind.BINARY: {
        "auc": _auc,
        "gauc": _grouped_auc,
        "log_loss": lambda one, draws: _mean(log_losses(one.predictions, one.labels), draws),
        "ece": _calibration_error,
    },
    TaskKind.REGRESSION: {
        "rmse_transformed": lambda one, draws: np.sqrt(_mean((one.transformed - one.targets) ** 2, draws)),
        "rmse": lambda one, draws: np.sqrt(_mean((one.predictions - one.labels) ** 2, draws)),
        "mae": lambda one, draws: _mean(np.abs(one.predictions - one.labels), draws),
        "spearman": _spearman,
    },
}
