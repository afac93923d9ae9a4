"""A match: how often, and with which outcomes, this user met this candidate's author, tag, ... before."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from model.contract.columns import Histories, padded
from model.contract.features.discrete import Discrete
from model.contract.features.history import History, summarised
from model.contract.features.interface import ArraySpec, Name, Side, Table
from model.contract.mistakes import Strict
from model.contract.vocabulary import UNKNOWN

COUNT_EDGES = (1, 2, 3, 5, 9, 17)  # met never, once, twice, 3-4, 5-8, 9-16, more often
Lookup = Callable[[str, Sequence[str | None]], NDArray[Any]]  # feature, video ids -> that feature's encoded array


class Match(Strict):
    """Of the history `of`, the interactions whose video agrees with the candidate in the feature `on`.

    Becomes, per pair of request and candidate, a summary of these interactions as a history has one of all, and the
    code of a count bin. The one kind that depends on both sides.
    """

    kind: Literal["match"] = "match"
    name: str = Name
    of: str
    on: str
    smoothing: float = Field(default=2.0, gt=0)
    dim: int | None = Field(default=None, ge=1)

    @property
    def binned(self) -> str:
        return f"{self.name}.bin"

    @property
    def keys_name(self) -> str:
        return f"{self.name}.keys"

    def tables(self) -> dict[str, Table]:
        return {self.binned: Table(len(COUNT_EDGES) + 1, self.dim)}

    def specs(self, history: History, on: Discrete) -> tuple[ArraySpec, ...]:
        return (
            ArraySpec(self.name, Side.PAIR, shape=(1 + len(history.outcomes),), quantities=True),
            ArraySpec(self.binned, Side.PAIR, table=self.binned),
            ArraySpec(self.keys_name, history.side, (history.length, *on.specs[0].shape), on.table, hidden=True),
        )

    def keys(self, column: Histories, length: int, lookup: Lookup) -> NDArray[np.int32]:
        """`[row, length, ...]`: the codes of `on` for each interaction, in the order of the encoded history."""
        codes = lookup(self.on, column.videos.distinct)[column.videos.index]
        return padded(codes, column.lengths, length, newest_first=True)

    def pair(self, keys: NDArray[Any], outcomes: NDArray[Any], codes: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Row by row: history keys `[row, length, ...]` and outcomes `[row, length, outcome]` against `on`'s codes."""
        hits = _hits(keys, codes)
        return {
            self.name: summarised(hits, outcomes, self.smoothing),
            self.binned: np.searchsorted(np.array(COUNT_EDGES), hits.sum(axis=1), side="right").astype(np.int32),
        }


def _hits(keys: NDArray[Any], codes: NDArray[Any]) -> NDArray[np.bool_]:
    """`[row, length]`: sets agree when they share a known value; missing and unknown values agree with nothing."""
    # Spelled out where -1 would do: with no rows numpy cannot tell what it stands for.
    keys = keys.reshape(*keys.shape[:2], math.prod(keys.shape[2:]))
    hits = np.zeros(keys.shape[:2], dtype=bool)
    for one in codes.reshape(len(codes), math.prod(codes.shape[1:])).T:
        agrees = (keys == one[:, None, None]).any(axis=2)
        hits |= agrees & (one > UNKNOWN)[:, None]
    return hits
