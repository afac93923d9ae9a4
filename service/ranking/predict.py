"""Predict: encoded arrays through the graphs, each of them once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.contract.graphs import CANDIDATE_HALF
from model.contract.tasks import Task
from service.ranking.encode import Encoded, Fresh
from service.ranking.fetch import Fetched
from service.ranking.ranker import Ranker

BLOCK = 512  # candidates that are predicted at once: what is computed of them then stays in the processor's cache


def predict(fetched: Fetched, encoded: Encoded, ranker: Ranker) -> NDArray[np.float32]:
    """`[candidate, task]`: only candidates whose half is not computed yet cost a run of their own graph."""
    request = ranker.runtime.halve_request(encoded.request)
    predictions = []
    for start in range(0, len(fetched.rows), BLOCK):
        block = slice(start, start + BLOCK)
        halves = request | {CANDIDATE_HALF: _candidate_halves(block, fetched, encoded.fresh, ranker)}
        pairs = {name: array[block] for name, array in encoded.pairs.items()}
        predictions.append(ranker.runtime.predict(halves, pairs))
    return np.concatenate(predictions)


def _candidate_halves(block: slice, fetched: Fetched, fresh: Fresh, ranker: Ranker) -> NDArray[np.float32]:
    rows = fetched.rows[block]
    first, end = np.searchsorted(fresh.at, (block.start, block.stop))
    arrays = {name: array[first:end] for name, array in fresh.arrays.items()}
    if end - first == len(rows):
        return ranker.runtime.halve_candidates(arrays)
    halves = ranker.bundle.halves.gather(rows)
    if end > first:
        halves[fresh.at[first:end] - block.start] = ranker.runtime.halve_candidates(arrays)
    return halves


def by_task(predictions: NDArray[np.float32], tasks: Sequence[Task]) -> dict[str, NDArray[np.float64]]:
    return {task.name: column for task, column in zip(tasks, predictions.T.astype(np.float64), strict=True)}
