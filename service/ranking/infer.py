"""infer(): encoded rows to predictions, by the same graphs as rank()."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from model.contract.features.interface import Arrays
from service.ranking.predict import predict_halved
from service.ranking.ranker import Ranker
from service.ranking.tensors import InferRequest, check_outputs, read_tensors


def infer(request: InferRequest, ranker: Ranker, max_rows: int) -> NDArray[np.float32]:
    """`[row, task]`, calibrated, in each task's unit and in the order of the manifest's tasks. Raises InputError."""
    check_outputs(request, ranker.bundle)
    rows = read_tensors(request, ranker.bundle, max_rows)
    halves = ranker.runtime.halve_candidates(rows.candidates)
    predictions = np.empty((len(halves), len(ranker.bundle.tasks)), dtype=np.float32)
    # The graph of a request reads one. Rows of the same share its run, as the candidates of a ranking do.
    for one, which in _distinct(rows.request, len(halves)):
        pairs = {name: of[which] for name, of in rows.candidates.items()}
        of_these = [(halves, which.astype(np.int32))]
        predictions[which] = predict_halved(ranker.runtime.halve_request(one), of_these, pairs, len(which), ranker)
    return predictions


def _distinct(request: Arrays, num_rows: int) -> Iterator[tuple[Arrays, NDArray[np.intp]]]:
    """Every distinct request, as arrays of one row, and the rows that have it."""
    own = {name: array for name, array in request.items() if len(array) > 1}
    if not own:
        yield request, np.arange(num_rows)
        return
    packed = np.hstack([array.reshape(num_rows, -1).view(np.uint8) for array in own.values()])
    _, firsts, group = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    for at, first in enumerate(firsts):
        yield request | {name: array[[first]] for name, array in own.items()}, np.flatnonzero(group == at)
