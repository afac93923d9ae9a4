"""Evaluation: a ranker's predictions for a split, their calibration, and what they are worth."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from model.calibration import Calibration, link
from model.contract.combination import Policy, combine
from model.contract.scaling import TRANSFORMS, Transform
from model.contract.tasks import Task, TaskKind
from model.ranker import MultiTaskRanker
from training.config import Term
from training.dataset import SplitData
from training.hardware import moved
from training.metrics import METRICS, Evaluated, main_metric, ndcg

Array = NDArray[np.float64]
TaskMetrics = dict[str, float]
ROWS_AT_ONCE = 8_192
NDCG_AT = 10


@dataclass(frozen=True, slots=True)
class SplitMetrics:
    """`tasks[task][metric]`; `ndcg[policy][task]` is NDCG@10 of the policy's score, that task's label the gain."""

    tasks: dict[str, TaskMetrics]
    ndcg: dict[str, dict[str, float]]


def batch_of(split: SplitData, rows: NDArray[np.int64] | slice) -> dict[str, torch.Tensor]:
    if isinstance(rows, slice):
        return {name: torch.from_numpy(np.array(array[rows])) for name, array in split.arrays.items()}
    return {name: torch.from_numpy(np.take(array, rows, axis=0)) for name, array in split.arrays.items()}


def compute_logits(ranker: MultiTaskRanker, split: SplitData, as_logged: bool = False) -> Array:
    """`[row, task]` uncalibrated: as at serving, position missing, or at the position that was logged."""
    was_training, device = ranker.training, ranker.calibration.slope.device
    ranker.eval()
    parts = []
    with torch.no_grad():
        for start in range(0, split.num_rows, ROWS_AT_ONCE):
            rows = slice(start, min(start + ROWS_AT_ONCE, split.num_rows))
            found = ranker(moved(batch_of(split, rows), device), as_logged)
            parts.append(found.expand(rows.stop - rows.start, -1).cpu().numpy().astype(np.float64))
    ranker.train(was_training)
    return np.concatenate(parts)


def fit_calibration(
    calibration: Calibration,
    tasks: Sequence[Task],
    logits: Array,
    values: NDArray[np.float32],
    observed: NDArray[np.bool_],
) -> None:
    """Set slope, intercept and scale of every task from validation rows, all `[row, task]`."""
    for at, task in enumerate(tasks):
        seen = observed[:, at]
        logit, label = logits[seen, at], values[seen, at].astype(np.float64)
        if task.kind is TaskKind.BINARY:
            slope, intercept = _platt(logit, label)
        else:
            slope, intercept = _line(logit, TRANSFORMS[task.transform](label))
        scale = 1.0
        if task.transform is not Transform.NONE:
            linked = link(task)(torch.from_numpy(logit * slope + intercept)).clamp(*task.bounds).mean().item()
            scale = float(label.mean() / linked) if linked > 0 and label.mean() > 0 else 1.0
        calibration.slope[at], calibration.intercept[at], calibration.scale[at] = slope, intercept, scale


def _platt(logit: Array, label: Array) -> tuple[float, float]:
    """Slope and intercept of least log loss, by Newton's method from (1, 0); only the intercept where the slope would
    turn the order around.
    """
    theta = np.array([1.0, 0.0])
    columns = np.stack([logit, np.ones_like(logit)], 1)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(columns @ theta, -50, 50)))
        gradient = columns.T @ (chance - label) + 1e-6 * (theta - [1.0, 0.0])
        curvature = (columns * (chance * (1 - chance))[:, None]).T @ columns + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        theta = theta - step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-10:
            break
    if not np.isfinite(theta).all() or theta[0] <= 0:
        return 1.0, float(np.log(max(label.mean(), 1e-6) / max(1 - label.mean(), 1e-6)) - logit.mean())
    return float(theta[0]), float(theta[1])


def _line(logit: Array, target: Array) -> tuple[float, float]:
    spread = float(logit.var())
    slope = float(np.cov(logit, target, bias=True)[0, 1] / spread) if spread > 0 else 0.0
    slope = max(slope, 1e-6)
    return slope, float(target.mean() - slope * logit.mean())


def evaluate_split(
    calibration: Calibration, tasks: Sequence[Task], policies: Mapping[str, Policy], logits: Array, split: SplitData
) -> SplitMetrics:
    predictions = predict(calibration, logits)
    metrics = {
        task.name: {name: metric.compute(one) for name, metric in METRICS[task.kind].items()}
        for task, one in evaluated_tasks(calibration, tasks, logits, split)
    }
    by_task = {task.name: predictions[:, at] for at, task in enumerate(tasks)}
    ordered = {name: combine(by_task, policy).order_by for name, policy in policies.items()}
    gains = {task.name: gains_of(task, at, split) for at, task in enumerate(tasks)}
    return SplitMetrics(
        metrics,
        {
            name: {task: ndcg(order_by, gain, split.groups, NDCG_AT) for task, gain in gains.items()}
            for name, order_by in ordered.items()
        },
    )


def predict(calibration: Calibration, logits: Array) -> Array:
    with torch.no_grad():
        given = torch.from_numpy(logits.astype(np.float32)).to(calibration.slope.device)
        return calibration(given).cpu().numpy().astype(np.float64)


def utility(
    ranker: MultiTaskRanker, tasks: Sequence[Task], terms: Sequence[Term], logits: Array, split: SplitData
) -> tuple[float, dict[str, float]]:
    """The declared utility, and each of its terms' metric: weighted sum of metrics, errors negative."""
    terms = terms or [Term(task=task.name) for task in tasks]
    found: dict[tuple[str, str], float] = {}
    for task, one in evaluated_tasks(ranker.calibration, tasks, logits, split):
        for name in {term.metric or main_metric(task.kind) for term in terms if term.task == task.name}:
            found[task.name, name] = METRICS[task.kind][name].compute(one)
    kinds = {task.name: task.kind for task in tasks}
    total, values = 0.0, {}
    for term in terms:
        name = term.metric or main_metric(kinds[term.task])
        value = values[f"{term.task}/{name}"] = found[term.task, name]
        total += term.weight * METRICS[kinds[term.task]][name].direction * value
    return total, values


def evaluated_tasks(
    calibration: Calibration, tasks: Sequence[Task], logits: Array, split: SplitData
) -> Iterator[tuple[Task, Evaluated]]:
    """Each task with its observed rows, from logits `[row, task]`, as metrics read them."""
    predictions = predict(calibration, logits)
    transformed = calibration.transformed(torch.from_numpy(logits).to(calibration.slope.device)).cpu().numpy()
    for at, task in enumerate(tasks):
        seen = np.asarray(split.observed[:, at])
        labels = split.values[seen, at].astype(np.float64)
        targets = TRANSFORMS[task.transform](labels)
        yield task, Evaluated(predictions[seen, at], labels, transformed[seen, at], targets, split.users[seen])


def gains_of(task: Task, at: int, split: SplitData) -> Array:
    """Labels as gains `[row]`: never negative, nothing where not observed."""
    lowest = task.bounds[0] if np.isfinite(task.bounds[0]) else 0.0
    return np.where(split.observed[:, at], np.maximum(split.values[:, at] - lowest, 0.0), 0.0).astype(np.float64)
