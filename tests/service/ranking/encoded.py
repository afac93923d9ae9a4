"""Requests of the Open Inference Protocol, encoded from the same facts as a request of /v1/rank."""

from typing import Any

import numpy as np

from model.contract.encoding import encode_pairs
from model.contract.features.interface import REQUEST_SIDES, Arrays, Side
from model.contract.request import RankRequest
from service.feature_store.embedded import BUNDLE_ALONE
from service.ranking.encode import encode
from service.ranking.fetch import fetch
from service.ranking.ranker import Ranker
from service.ranking.tensors import inputs_of


def arrays_of(asked: dict[str, Any], ranker: Ranker) -> Arrays:
    """The inputs of the model for a request by ids: one row of the request, one a candidate of all else."""
    request = RankRequest.model_validate(asked)
    fetched = fetch(request, ranker, BUNDLE_ALONE)
    encoded = encode(request, fetched, ranker.bundle.encoder)
    candidates = ranker.bundle.videos.gather(fetched.rows)
    pairs = encode_pairs(
        ranker.bundle.encoder, encoded.request, candidates, np.zeros(len(fetched.rows), dtype=np.int64)
    )
    every = encoded.request | candidates | pairs
    return {name: every[name] for name in inputs_of(ranker.bundle)}


def sides_of(ranker: Ranker) -> dict[str, Side]:
    return {name: spec.side for name, spec in ranker.bundle.schema.specs.items()}


def body_of(arrays: Arrays, nested: bool = False, **parts: Any) -> dict[str, Any]:
    """As JSON."""
    inputs = [
        {
            "name": name,
            "shape": list(array.shape),
            "datatype": "FP32" if array.dtype == np.float32 else "INT32",
            "data": (array if nested else array.ravel()).tolist(),
        }
        for name, array in arrays.items()
    ]
    return {"inputs": inputs} | parts


def repeated(arrays: Arrays, ranker: Ranker, num_rows: int) -> Arrays:
    """With the request's arrays in every row."""
    sides = sides_of(ranker)
    return {
        name: np.repeat(array, num_rows, axis=0) if sides[name] in REQUEST_SIDES else array
        for name, array in arrays.items()
    }
