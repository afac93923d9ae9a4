"""Encode: what was fetched, overridden by what the request gives itself, as the arrays that the graphs read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.contract import encoding
from model.contract.columns import Column, StringLists, Strings
from model.contract.encoding import Encoder, encode_pairs
from model.contract.features.discrete import Discrete
from model.contract.features.interface import Arrays
from model.contract.request import RankRequest
from model.contract.vocabulary import UNKNOWN
from service.ranking.fetch import Fetched
from service.ranking.given import (
    given_by_candidates,
    given_by_request,
    ids_of_candidates,
    ids_of_request,
    to_columns,
)
from service.ranking.warning import RankWarning, unknown_values


@dataclass(frozen=True, slots=True)
class Fresh:
    """The candidates, by position, of which the catalog does not tell all: unknown, or with inline features.
    Their arrays have one row each.
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


def encode(request: RankRequest, fetched: Fetched, encoder: Encoder) -> Encoded:
    """Raises InputError for values of the wrong type."""
    schema = encoder.schema
    own = to_columns(given_by_request(request, schema), schema)
    ids = to_columns(ids_of_request(request, schema), schema)
    arrays = fetched.request | encoding.encode(encoder, own | ids)
    fresh, warnings = _encode_fresh(request, fetched, encoder)
    matched = _matched_arrays(fetched, fresh, encoder)
    pairs = encode_pairs(encoder, arrays, matched, np.zeros(len(fetched.rows), dtype=np.int64))
    return Encoded(arrays, pairs, fresh, (*_unknown_categories(own, encoder), *warnings))


def _encode_fresh(request: RankRequest, fetched: Fetched, encoder: Encoder) -> tuple[Fresh, list[RankWarning]]:
    """Each feature as one column over those candidates that give it, laid over what is stored."""
    inline = request.inline
    at = np.union1d(np.flatnonzero(fetched.is_unknown), np.fromiter(inline, dtype=np.intp))
    arrays = encoder.videos.gather(fetched.rows[at])
    given = given_by_candidates(inline)
    columns = to_columns(given, encoder.schema)
    ids = ids_of_candidates(request.ids, at, encoder.schema)
    rows = {name: np.searchsorted(at, one.rows) for name, one in (given | ids).items()}
    for name, column in (columns | to_columns(ids, encoder.schema)).items():
        for array, values in encoding.encode(encoder, {name: column}).items():
            arrays[array][rows[name]] = values
    return Fresh(at, arrays), list(_unknown_categories(columns, encoder))


def _matched_arrays(fetched: Fetched, fresh: Fresh, encoder: Encoder) -> Arrays:
    """The candidate features that matches compare with the history, `[candidate, ...]`."""
    arrays = Arrays()
    for name in {match.on for match in encoder.schema.matches.values()}:
        arrays[name] = np.asarray(encoder.videos.arrays[name][fetched.rows])
        arrays[name][fresh.at] = fresh.arrays[name]
    return arrays


def _unknown_categories(columns: Mapping[str, Column], encoder: Encoder) -> Iterator[RankWarning]:
    for name, column in columns.items():
        feature = encoder.schema.columns[name]
        strings = column.flat if isinstance(column, StringLists) else column
        if isinstance(strings, Strings) and isinstance(feature, Discrete):
            codes = encoder.fitted.vocabularies[feature.table].codes(strings.distinct)
            yield from unknown_values(
                name, (value or "" for value, code in zip(strings.distinct, codes, strict=True) if code == UNKNOWN)
            )
