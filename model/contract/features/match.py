"""A match: how often, and with which outcomes, this user met this candidate's author, tag, ... before."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from model.contract.columns import Histories, padded
from model.contract.features.discrete import Discrete
from model.contract.features.history import History
from model.contract.features.interface import ArraySpec, Name, Side, Table
from model.contract.mistakes import Strict
from model.contract.vocabulary import UNKNOWN

COUNT_EDGES = (1, 2, 3, 5, 9, 17)  # met never, once, twice, 3-4, 5-8, 9-16, more often
Lookup = Callable[[str, Sequence[str | None]], NDArray[Any]]  # feature, video ids -> that feature's encoded array


class Match(Strict):
    """Of the history `of`, the interactions whose video agrees with the candidate in the feature `on`.

    Becomes, per pair of request and candidate: the scaled count, one rate per outcome smoothed towards the outcome's
    mean by `smoothing` imagined interactions, and the code of a count bin. The one kind that depends on both sides.
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
            ArraySpec(self.name, Side.PAIR, shape=(1 + len(history.outcomes),)),
            ArraySpec(self.binned, Side.PAIR, table=self.binned),
            ArraySpec(self.keys_name, history.side, (history.length, *on.specs[0].shape), on.table, hidden=True),
        )

    def keys(self, column: Histories, length: int, lookup: Lookup) -> NDArray[np.int32]:
        """`[row, length, ...]`: the codes of `on` for each interaction, in the order of the encoded history."""
        codes = lookup(self.on, column.videos.distinct)[column.videos.index]
        return padded(codes, column.lengths, length, newest_first=True)

    def pair(
        self, keys: NDArray[Any], outcomes: NDArray[Any], codes: NDArray[Any], means: tuple[float, ...]
    ) -> dict[str, NDArray[Any]]:
        """Row by row: history keys `[row, length, ...]` and outcomes `[row, length, outcome]` against `on`'s codes."""
        hits = _hits(keys, codes)
        count = hits.sum(axis=1)
        # One outcome at a time, each a contiguous reduction: the order of additions then never depends on the batch.
        sums = [
            np.where(hits, outcomes[:, :, at], np.float32(0)).sum(axis=1, dtype=np.float64) for at in range(len(means))
        ]
        rates = [
            (total + self.smoothing * mean) / (count + self.smoothing) - mean
            for total, mean in zip(sums, means, strict=True)
        ]
        # A rate moves little: unscaled it would be lost beside values of unit deviation.
        scales = [max(np.sqrt(mean * (1 - mean)), 0.05) if 0 < mean < 1 else max(abs(mean), 0.05) for mean in means]
        columns = [np.log1p(count), *(rate / scale for rate, scale in zip(rates, scales, strict=True))]
        return {
            self.name: np.stack(columns, axis=1).astype(np.float32),
            self.binned: np.searchsorted(np.array(COUNT_EDGES), count, side="right").astype(np.int32),
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
