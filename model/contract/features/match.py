"""A match: how often, and with which outcomes, this user met this candidate's author, tag, ... before."""

import math
from collections.abc import Callable, Sequence
from functools import reduce
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
NEVER = -1  # no code
ROWS_AT_ONCE = 4_096  # few enough to stay in the processor's cache
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

    def pair(
        self, keys: NDArray[Any], outcomes: NDArray[Any], codes: NDArray[Any], request_of: NDArray[np.int64]
    ) -> dict[str, NDArray[Any]]:
        """`on`'s codes `[row, ...]`, each against the history of its request `request_of[row]`, of which there are the
        keys `[request, length, ...]` and the outcomes `[request, length, outcome]`.
        """
        hits = np.empty((len(codes), keys.shape[1]), dtype=bool)
        for start in range(0, len(codes), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            hits[rows] = _hits(keys[request_of[rows]], codes[rows])
        count = np.bincount(np.nonzero(hits)[0], minlength=len(hits))
        # Most candidates meet nothing of what they ask for, and the summary of nothing is 0.
        met = np.flatnonzero(count)
        summary = np.zeros((len(hits), 1 + outcomes.shape[2]), dtype=np.float32)
        summary[met] = summarised(hits[met], outcomes[request_of[met]], self.smoothing)
        bins = np.searchsorted(np.array(COUNT_EDGES), count, side="right").astype(np.int32)
        return {self.name: summary, self.binned: bins}


def _hits(keys: NDArray[Any], codes: NDArray[Any]) -> NDArray[np.bool_]:
    """`[row, length]`: sets agree when they share a known value; missing and unknown values agree with nothing."""
    # Spelled out where -1 would do: with no rows numpy cannot tell what it stands for.
    size = math.prod(keys.shape[2:])
    flat = keys.reshape(len(keys), keys.shape[1] * size)
    codes = codes.reshape(len(codes), math.prod(codes.shape[1:]))
    known = np.where(codes > UNKNOWN, codes, NEVER)
    agrees = np.zeros(flat.shape, dtype=bool)
    for one in known.T:
        agrees |= flat == one[:, None]
    items = agrees.reshape(keys.shape[0], keys.shape[1], size)
    return reduce(np.logical_or, (items[:, :, at] for at in range(size)))
