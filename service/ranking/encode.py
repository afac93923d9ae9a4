"""Encode: what was fetched, overridden by what the request gives itself, as the arrays that the graphs read."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from model.contract import encoding
from model.contract.columns import Column, StringLists, Strings
from model.contract.encoding import Encoder, encode_each, encode_pairs
from model.contract.features.discrete import Discrete
from model.contract.features.interface import Arrays, Side
from model.contract.request import Asked
from model.contract.texts import texts_at
from model.contract.vocabulary import UNKNOWN
from service.ranking.fetch import Fetched
from service.ranking.given import (
    given_by_candidates,
    given_by_request,
    ids_of_candidates,
    ids_of_request,
    to_columns,
)
from service.ranking.overlay import Layer
from service.ranking.warning import RankWarning, unknown_values


@dataclass(frozen=True, slots=True)
class Fresh:
    """The candidates, by position, whose half of the network is yet to be computed: unknown, with features of their own
    in the request or in the store, or beyond the budget of the catalog. Their arrays have one row each.
    """

    at: NDArray[np.intp]
    arrays: Arrays


@dataclass(frozen=True, slots=True)
class Encoded:
    """`request` has one row, `pairs` one a candidate."""

    request: Arrays
    pairs: Arrays
    fresh: Fresh
    warnings: tuple[RankWarning, ...]


def encode(request: Asked, fetched: Fetched, encoder: Encoder) -> Encoded:
    """Raises InputError for values of the wrong type."""
    schema = encoder.schema
    own = to_columns(given_by_request(request, schema), schema)
    ids = to_columns(ids_of_request(request, schema), schema)
    encoded = encoding.encode(encoder, own | ids)
    arrays = fetched.request | encoded
    fresh, warnings = _encode_fresh(request, fetched, encoder)
    matched = _matched_arrays(fetched, fresh, encoder)
    pairs = encode_pairs(encoder, arrays, matched, np.zeros(len(fetched.rows), dtype=np.int64))
    unknown = chain.from_iterable(_unknown_values(name, column, encoded, encoder) for name, column in own.items())
    return Encoded(arrays, pairs, fresh, (*unknown, *warnings))


def _encode_fresh(request: Asked, fetched: Fetched, encoder: Encoder) -> tuple[Fresh, list[RankWarning]]:
    """Each feature as one column over those candidates that have it, laid over what is stored, and that over what the
    bundle has.
    """
    given = given_by_candidates(request.inline)
    is_fresh = ~fetched.has_half
    for rows in (*(layer.rows for layer in fetched.layers), *(one.rows for one in given.values())):
        is_fresh[rows] = True
    at = np.flatnonzero(is_fresh)
    if not len(at):
        return Fresh(at, {}), []
    given_and_ids = given | ids_of_candidates(request.ids, at, encoder.schema)
    columns = to_columns(given_and_ids, encoder.schema)
    features = [(encoder.schema.columns[name], column) for name, column in columns.items()]
    encoded = dict(zip(columns, encode_each(features, encoder.fitted), strict=True))
    layers = (*fetched.layers, *(Layer(given_and_ids[name].rows, own) for name, own in encoded.items()))
    covered = {array for layer in layers if len(layer.rows) == len(at) for array in layer.arrays}
    names = (spec.name for spec in encoder.schema.specs.values() if spec.side is Side.CANDIDATE)
    arrays = encoder.videos.gather(fetched.rows[at], (name for name in names if name not in covered))
    for layer in layers:
        if len(layer.rows) == len(at):
            arrays |= layer.arrays
        else:
            for array, values in layer.arrays.items():
                arrays[array][np.searchsorted(at, layer.rows)] = values
    told = (_unknown_values(name, columns[name], encoded[name], encoder) for name in given)
    return Fresh(at, arrays), list(chain.from_iterable(told))


def _matched_arrays(fetched: Fetched, fresh: Fresh, encoder: Encoder) -> Arrays:
    """The candidate features that matches compare with the history, `[candidate, ...]`."""
    arrays = Arrays()
    for name in {match.on for match in encoder.schema.matches.values()}:
        arrays[name] = np.asarray(encoder.videos.arrays[name][fetched.rows])
        if len(fresh.at):
            arrays[name][fresh.at] = fresh.arrays[name]
    return arrays


def _unknown_values(name: str, column: Column, encoded: Arrays, encoder: Encoder) -> Iterator[RankWarning]:
    """`encoded` is what became of the column."""
    feature = encoder.schema.columns[name]
    if isinstance(feature, Discrete) and isinstance(column, Strings):
        yield from _warning(name, column, encoded[name])
    elif isinstance(feature, Discrete) and isinstance(column, StringLists):
        codes = encoder.fitted.vocabularies[feature.table].codes(column.flat.distinct)
        yield from _warning(name, column.flat, codes[column.flat.index])


def _warning(name: str, strings: Strings, codes: NDArray[np.int32]) -> Iterator[RankWarning]:
    unknown = np.flatnonzero(codes == UNKNOWN)
    if len(unknown):
        yield from unknown_values(name, filter(None, texts_at(strings.distinct, strings.index[unknown])))
