"""Drift: how training's predictions and features were distributed, and how far what is served lies from that."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from model.contract.features.interface import REQUEST_SIDES, ArraySpec, Side
from model.contract.mistakes import Strict
from model.contract.schema import FeatureSchema
from model.contract.vocabulary import NUM_RESERVED

Floats = NDArray[np.float64]
NUM_INTERVALS = 10
NUM_CODES = 16
LEAST_SHARE = 1e-4  # of a bin in which nothing was seen: its logarithm must be finite
STABLE, MODERATE = 0.1, 0.25


class Intervals(Strict):
    """Bins of numbers: bin `i` ends with `edges[i]`, which it holds, one is beyond the last edge, and the last bin is
    for what is not a number. The edges of a Prometheus histogram mean the same.
    """

    kind: Literal["intervals"] = "intervals"
    edges: tuple[float, ...]
    shares: tuple[float, ...] = ()

    @classmethod
    def fit(cls, values: NDArray[Any]) -> Self:
        """Deciles of `[value]`; equal ones are one edge."""
        known = values[np.isfinite(values)].astype(np.float64)
        inner = np.linspace(0, 1, NUM_INTERVALS + 1)[1:-1]
        # As float32, in which they are compared: what lies on an edge must fall into the same bin offline and online.
        edges = np.unique(np.quantile(known, inner).astype(np.float32)) if len(known) else np.array([])
        bare = cls(edges=tuple(edges.tolist()))
        return bare.model_copy(update={"shares": _shares(bare.count(values))})

    @property
    def num_bins(self) -> int:
        return len(self.edges) + 2

    def count(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """`[bin]`, of `[value]`."""
        edges = np.array(self.edges, dtype=np.float32)
        at = np.searchsorted(edges, values.astype(np.float32, copy=False), side="left")
        at[np.isnan(values)] = len(edges) + 1
        return np.bincount(at, minlength=self.num_bins)


class Codes(Strict):
    """Bins of codes: missing, unknown, each of the most frequent ones (`codes`, which rise), and all others."""

    kind: Literal["codes"] = "codes"
    codes: tuple[int, ...]
    shares: tuple[float, ...] = ()

    @classmethod
    def fit(cls, values: NDArray[Any]) -> Self:
        """Of `[value]` codes; equally frequent ones in their order."""
        found, counts = np.unique(values[values >= NUM_RESERVED], return_counts=True)
        frequent = np.sort(found[np.argsort(-counts, kind="stable")[:NUM_CODES]])
        bare = cls(codes=tuple(frequent.tolist()))
        return bare.model_copy(update={"shares": _shares(bare.count(values))})

    @property
    def num_bins(self) -> int:
        return NUM_RESERVED + len(self.codes) + 1

    def count(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """`[bin]`, of `[value]`."""
        own = np.array([*range(NUM_RESERVED), *self.codes])
        at = np.searchsorted(own, values)
        at[own[np.minimum(at, len(own) - 1)] != values] = len(own)
        return np.bincount(at, minlength=self.num_bins)


Distribution = Annotated[Intervals | Codes, Field(discriminator="kind")]


class Reference(Strict):
    """What live traffic is held against: calibrated predictions by task and scores by policy as validation had them,
    features by the name of the quantity (`quantities`) as the training split had them.
    """

    predictions: dict[str, Intervals] = Field(default_factory=dict)
    scores: dict[str, Intervals] = Field(default_factory=dict)
    features: dict[str, Distribution] = Field(default_factory=dict)


def is_watched(spec: ArraySpec, schema: FeatureSchema) -> bool:
    """Codes and quantities that a request or a candidate has of its own; neither vectors, nor the parts of a history,
    nor bins of what is watched as a number.
    """
    has_side = spec.side in REQUEST_SIDES or spec.side is Side.CANDIDATE
    is_code = spec.table is not None and spec.name in schema.columns and spec.part_of is None
    return has_side and not spec.hidden and (spec.quantities or is_code)


def quantities(spec: ArraySpec, array: NDArray[Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    """The names and values `[value]` of an encoded array `[row, ...]`: codes of a set are one quantity, the columns of
    an array of quantities one each. Of a number `age` is the value, `age[1]` whether it is missing.
    """
    if not spec.quantities:
        yield spec.name, array.reshape(-1)
        return
    for at, column in enumerate(array.T):
        yield (f"{spec.name}[{at}]" if at else spec.name), column


def psi(expected: Floats, observed: Floats) -> float:
    """Population stability index of two distributions over the same bins, as counts or shares `[bin]`:

        sum over bins of (o - e) ln(o / e),

    with o and e the shares, at least LEAST_SHARE (Siddiqi, Credit Risk Scorecards, 2006). It is 0 where they are
    alike, and the Kullback-Leibler divergences of both directions together. By chance alone it is about
    (bins - 1) / n of n values.
    """
    e, o = (np.maximum(one / one.sum(), LEAST_SHARE) for one in (expected, observed))
    return float(((o - e) * np.log(o / e)).sum())


def in_words(index: float) -> str:
    """The customary reading of a PSI."""
    return "stable" if index < STABLE else "moderate" if index < MODERATE else "large"


def _shares(counts: NDArray[np.int64]) -> tuple[float, ...]:
    return tuple((counts / max(counts.sum(), 1)).tolist())
