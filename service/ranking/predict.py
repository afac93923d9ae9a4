"""Predict: encoded arrays through the graphs, each of them once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.contract.graphs import CANDIDATE_HALF
from model.contract.tasks import Task
from service.ranking.encode import Encoded, Fresh
from service.ranking.fetch import Fetched
from service.ranking.ranker import Ranker


def predict(fetched: Fetched, encoded: Encoded, ranker: Ranker) -> NDArray[np.float32]:
    """`[candidate, task]`: only candidates whose half is not computed yet cost a run of their own graph."""
    runtime = ranker.runtime
    halves = runtime.halve_request(encoded.request)
    halves[CANDIDATE_HALF] = _candidate_halves(fetched, encoded.fresh, ranker)
    return runtime.predict(halves, encoded.pairs)


def _candidate_halves(fetched: Fetched, fresh: Fresh, ranker: Ranker) -> NDArray[np.float32]:
    if len(fresh.at) == len(fetched.rows):
        return ranker.runtime.halve_candidates(fresh.arrays)
    halves = ranker.bundle.halves.gather(fetched.rows)
    if len(fresh.at):
        halves[fresh.at] = ranker.runtime.halve_candidates(fresh.arrays)
    return halves


def by_task(predictions: NDArray[np.float32], tasks: Sequence[Task]) -> dict[str, NDArray[np.float64]]:
    return {task.name: column for task, column in zip(tasks, predictions.T.astype(np.float64), strict=True)}
