"""Precision: whether predictions may be made in reduced precision, decided by what it does to them on validation."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from model.contract.combination import Policy, combine, top
from model.contract.execution import GRAPHS, Float32Graph, Graph, why_not
from model.contract.features.interface import Arrays
from model.contract.graphs import BIAS_LOGITS, CANDIDATE_HALF, MEMORIES, PREDICTIONS, RANK, REQUEST_HALF
from model.contract.halves import KEPT_IN
from model.contract.mistakes import mistake
from model.contract.scaling import TRANSFORMS
from model.contract.serving import Precision, PrecisionCheck, Serving
from model.contract.tasks import Task, TaskKind
from model.ranker import MultiTaskRanker
from training.dataset import SplitData
from training.evaluation import batch_of
from training.metrics import METRICS, Evaluated, main_metric

MOST_LOST = 0.0005  # of an AUC; of an error, relative to it
LEAST_AGREEMENT = 0.99  # of the top 10
TOP, NUM_ROWS, NUM_REQUESTS, NUM_CANDIDATES = 10, 20_000, 200, 500
ROWS_AT_ONCE = 1_024
Predictions = NDArray[np.float32]  # [row, task]


def settle(
    precision: Precision, ranker: MultiTaskRanker, tasks: Sequence[Task], policy: Policy, valid: SplitData, graphs: Path
) -> Serving:
    """Raises InputError with the figures where what is asked for costs too much, or cannot be had here."""
    if precision is Precision.FLOAT32:
        return Serving()
    if reason := why_not(precision):
        raise mistake("serving.precision", "a machine to check it on", reason)
    path = graphs / f"{RANK}.onnx"
    found = compare(Float32Graph(path, 1), GRAPHS[precision](path, 1), ranker, tasks, policy, valid)
    if wrong := list(_objections(found, tasks)):
        raise mistake("serving.precision", "float32, for in reduced precision predictions are others", "; ".join(wrong))
    return Serving(precision=precision, check=found)


def compare(
    full: Graph, reduced: Graph, ranker: MultiTaskRanker, tasks: Sequence[Task], policy: Policy, valid: SplitData
) -> PrecisionCheck:
    """`full` and `reduced` are rank graphs of the ranker; `policy` says what the top 10 are."""
    rows = np.unique(np.linspace(0, valid.num_rows - 1, NUM_ROWS).astype(np.int64))
    logged = list(_logged(ranker, valid, rows))
    before, after = (
        _metrics(tasks, valid, rows, np.concatenate([_predicted(graph, one) for one in _added(graph, logged)]))
        for graph in (full, reduced)
    )
    requests = list(_requests(ranker, valid))
    (tops, full_ms), (others, reduced_ms) = (_ranked(graph, requests, tasks, policy) for graph in (full, reduced))
    shared = [len(np.intersect1d(*both)) / len(both[0]) for both in zip(tops, others, strict=True)]
    return PrecisionCheck(
        num_rows=len(rows),
        num_requests=len(requests),
        num_candidates=len(requests[0][CANDIDATE_HALF]),
        metric={task.name: main_metric(task.kind) for task in tasks},
        float32=before,
        reduced=after,
        agreement=float(np.mean(shared)),
        float32_ms=full_ms,
        reduced_ms=reduced_ms,
    )


def _objections(check: PrecisionCheck, tasks: Sequence[Task]) -> Iterator[str]:
    for task in tasks:
        metric = METRICS[task.kind][check.metric[task.name]]
        before, after = check.float32[task.name], check.reduced[task.name]
        if before is None or after is None:
            continue
        lost = metric.direction * (before - after) / (1 if task.kind is TaskKind.BINARY else before)
        if not lost < MOST_LOST:
            yield f"{task.name} {check.metric[task.name]} {before:.5f} -> {after:.5f} (at most {MOST_LOST} may be lost)"
    if not check.agreement >= LEAST_AGREEMENT:
        yield f"{check.agreement:.2%} of the top {TOP} in common (at least {LEAST_AGREEMENT:.0%})"


def _logged(ranker: MultiTaskRanker, valid: SplitData, rows: NDArray[np.int64]) -> Iterator[Arrays]:
    """What the rank graph reads of every row: its request with its one candidate."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = _halves(ranker, valid, rows[start : start + ROWS_AT_ONCE])
        yield from (_asked(some, at, slice(at, at + 1)) for at in range(len(some[REQUEST_HALF])))


def _requests(ranker: MultiTaskRanker, valid: SplitData) -> Iterator[Arrays]:
    """Requests of validation, each with candidates from all of it: what was shown together is too little to choose ten
    from. Candidates bring along what they had in common with the history of their own user.
    """
    random = np.random.default_rng(0)
    for _ in range(NUM_REQUESTS):
        shown = random.choice(valid.num_rows, min(NUM_CANDIDATES, valid.num_rows), replace=False)
        yield _asked(_halves(ranker, valid, shown), 0, slice(None))


@torch.no_grad()
def _halves(ranker: MultiTaskRanker, split: SplitData, rows: NDArray[np.int64]) -> Arrays:
    """`[row, ...]` of all that the rank graph reads, the halves as yet apart."""
    batch = batch_of(split, rows)
    half, memories = ranker.of_request(batch)
    return {
        REQUEST_HALF: half.numpy(),
        **({} if memories is None else {MEMORIES: memories.numpy()}),
        BIAS_LOGITS: ranker.bias_logits(batch, as_logged=False).expand(len(rows), -1).numpy(),
        CANDIDATE_HALF: ranker.candidate_half(batch).numpy(),
        **{name: batch[name].numpy() for name in ranker.inputs.pair_names},
    }


def _asked(halves: Arrays, request: int, shown: slice) -> Arrays:
    """The request of one row with the candidates of others."""
    of_request = (REQUEST_HALF, MEMORIES, BIAS_LOGITS)
    return {name: array[[request]] if name in of_request else array[shown] for name, array in halves.items()}


def _ranked(
    graph: Graph, requests: Sequence[Arrays], tasks: Sequence[Task], policy: Policy
) -> tuple[list[NDArray[np.int64]], float]:
    """The top 10 of each request, and the median milliseconds that the graph takes."""
    tops, seconds = [], []
    for arrays in _added(graph, requests):
        began = time.perf_counter()
        found = _predicted(graph, arrays)
        seconds.append(time.perf_counter() - began)
        by_task = {task.name: column for task, column in zip(tasks, found.T.astype(np.float64), strict=True)}
        tops.append(top(combine(by_task, policy).order_by, min(TOP, len(found))))
    return tops, 1e3 * float(np.median(seconds))


def _added(graph: Graph, requests: Sequence[Arrays]) -> Iterator[Arrays]:
    """With the sums of the request's half and candidates' halves as a bundle for this graph keeps them."""
    for one in requests:
        halves = one[CANDIDATE_HALF]
        sums = graph.sums(len(halves))
        sums.add(one[REQUEST_HALF], KEPT_IN[graph.precision](halves), np.arange(len(halves), dtype=np.int32))
        yield one | sums.arrays


def _predicted(graph: Graph, arrays: Arrays) -> Predictions:
    [found] = graph.run(arrays, PREDICTIONS)
    return found


def _metrics(
    tasks: Sequence[Task], split: SplitData, rows: NDArray[np.int64], found: Predictions
) -> dict[str, float | None]:
    """The main metric of each task; None where it cannot be had."""
    metrics: dict[str, float | None] = {}
    for at, task in enumerate(tasks):
        seen = split.observed[rows, at]
        labels, values = split.values[rows[seen], at].astype(np.float64), found[seen, at].astype(np.float64)
        transform = TRANSFORMS[task.transform]
        one = Evaluated(values, labels, transform(values), transform(labels), split.users[rows[seen]])
        value = METRICS[task.kind][main_metric(task.kind)].compute(one)
        metrics[task.name] = value if np.isfinite(value) else None
    return metrics
