"""Predict: encoded arrays through the graphs, each of them once."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from model.contract.execution import Floats
from model.contract.graphs import CANDIDATE_HALF
from model.contract.halves import HalfValues, Halves
from model.contract.tasks import Task
from service.ranking.encode import Encoded
from service.ranking.fetch import Fetched
from service.ranking.ranker import Ranker

# So many candidates are predicted at once that their halves fit the cache of a core: what is computed of them finds its
# data there, and the rest of the request still its code.
BLOCK_BYTES, BLOCK_ROWS = 2**20, 512


def predict(fetched: Fetched, encoded: Encoded, ranker: Ranker) -> NDArray[np.float32]:
    """`[candidate, task]`: only candidates whose half is not computed yet cost a run of their own graph."""
    request = ranker.runtime.halve_request(encoded.request)
    kept, fresh = ranker.bundle.halves, None
    if len(encoded.fresh.at):
        fresh = ranker.runtime.halve_candidates(encoded.fresh.arrays)
    predictions = []
    for block in blocks(len(fetched.rows), kept.row_bytes):
        halves = _candidate_halves(block, fetched.rows[block], encoded.fresh.at, fresh, kept)
        pairs = {name: array[block] for name, array in encoded.pairs.items()}
        predictions.append(ranker.runtime.predict(request | {CANDIDATE_HALF: halves}, pairs))
    return np.concatenate(predictions)


def blocks(num_rows: int, row_bytes: int) -> Iterator[slice]:
    """As few as can be, and of one size but the last: a new shape costs some runtimes time."""
    most = min(max(BLOCK_BYTES // row_bytes, 1), BLOCK_ROWS)
    size = -(-num_rows // -(-num_rows // most))
    return (slice(start, min(start + size, num_rows)) for start in range(0, num_rows, size))


def _candidate_halves(
    block: slice, rows: NDArray[np.int64], fresh_at: NDArray[np.intp], fresh: Floats | None, kept: Halves
) -> HalfValues:
    """`fresh` are the halves of the candidates at `fresh_at`, of which some, all or none are in the block."""
    if fresh is None:
        return kept.gather(rows)
    first, end = np.searchsorted(fresh_at, (block.start, block.stop))
    if end - first == len(rows):
        return fresh[first:end]
    found = kept.gather(rows)
    found[fresh_at[first:end] - block.start] = kept.alike(fresh[first:end])
    return found


def by_task(predictions: NDArray[np.float32], tasks: Sequence[Task]) -> dict[str, NDArray[np.float64]]:
    return {task.name: column for task, column in zip(tasks, predictions.T.astype(np.float64), strict=True)}
