"""Predict: encoded arrays through the graphs, each of them once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.contract.graphs import CANDIDATE_HALF
from model.contract.tasks import Task
from service.ranking.encode import Encoded
from service.ranking.fetch import Fetched
from service.ranking.ranker import Ranker


def predict(fetched: Fetched, encoded: Encoded, ranker: Ranker) -> NDArray[np.float32]:
    """`[candidate, task]`: only candidates whose half is not computed yet cost a run of their own graph."""
    runtime = ranker.runtime
    candidates = ranker.bundle.halves.gather(fetched.rows)
    if len(encoded.fresh.at):
        candidates[encoded.fresh.at] = runtime.halve_candidates(encoded.fresh.arrays)
    halves = runtime.halve_request(encoded.request) | {CANDIDATE_HALF: candidates}
    return runtime.predict(halves, encoded.pairs)


def by_task(predictions: NDArray[np.float32], tasks: Sequence[Task]) -> dict[str, NDArray[np.float64]]:
    return {task.name: column for task, column in zip(tasks, predictions.T.astype(np.float64), strict=True)}
