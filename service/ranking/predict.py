"""Predict: encoded arrays through the graphs, each of them once."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from model.contract.features.interface import Arrays
from model.contract.graphs import REQUEST_HALF
from model.contract.halves import NOWHERE, HalfValues, Places
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
    halves = list(_halves(fetched, encoded, ranker))
    return predict_halved(request, halves, encoded.pairs, len(fetched.rows), ranker)


def predict_halved(
    request: Arrays, halves: Sequence[tuple[HalfValues, Places]], pairs: Arrays, num_candidates: int, ranker: Ranker
) -> NDArray[np.float32]:
    """`[candidate, task]`: a half of each candidate is among the values of one of `halves`, at its place."""
    predictions = []
    for block in blocks(num_candidates, ranker.bundle.halves.row_bytes):
        sums = ranker.runtime.sums(block.stop - block.start)
        for values, places in halves:
            sums.add(request[REQUEST_HALF], values, places[block])
        of_block = {name: array[block] for name, array in pairs.items()}
        predictions.append(ranker.runtime.predict(request, sums, of_block))
    return np.concatenate(predictions)


def _halves(fetched: Fetched, encoded: Encoded, ranker: Ranker) -> Iterator[tuple[HalfValues, Places]]:
    """Those that are kept, and those that are fresh: where each candidate's is among them, or NOWHERE."""
    kept, at_fresh = ranker.bundle.halves, encoded.fresh.at
    places = kept.places[fetched.rows]
    if len(at_fresh):
        places[at_fresh] = NOWHERE
        among_fresh = np.full_like(places, NOWHERE)
        among_fresh[at_fresh] = np.arange(len(at_fresh))
        yield ranker.runtime.halve_candidates(encoded.fresh.arrays), among_fresh
    if len(at_fresh) < len(places):
        yield kept.values, places


def blocks(num_rows: int, row_bytes: int) -> Iterator[slice]:
    """As few as can be, and of one size but the last: a new shape costs some runtimes time."""
    most = min(max(BLOCK_BYTES // row_bytes, 1), BLOCK_ROWS)
    size = -(-num_rows // -(-num_rows // most))
    return (slice(start, min(start + size, num_rows)) for start in range(0, num_rows, size))


def by_task(predictions: NDArray[np.float32], tasks: Sequence[Task]) -> dict[str, NDArray[np.float64]]:
    return {task.name: column for task, column in zip(tasks, predictions.T.astype(np.float64), strict=True)}
