"""Numbers to a comparable range: a transform, a fitted scale, and fitted quantile bins."""

from collections.abc import Callable
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from model.contract.mistakes import Strict

FARTHEST = 8.0  # standard deviations; one absurd value must not drown a batch
Array = NDArray[np.float64]


class Transform(StrEnum):
    NONE = "none"
    LOG1P = "log1p"


def _signed_log1p(values: Array) -> Array:
    return np.sign(values) * np.log1p(np.abs(values))


TRANSFORMS: dict[Transform, Callable[[Array], Array]] = {Transform.NONE: np.asarray, Transform.LOG1P: _signed_log1p}


class Scaler(Strict):
    """Fitted on the training split: mean and deviation after the transform, and the edges between quantile bins."""

    transform: Transform
    mean: float
    deviation: float
    edges: tuple[float, ...] = ()

    @classmethod
    def fit(cls, values: Array, transform: Transform, num_bins: int) -> "Scaler":
        """`values` may hold NaN (missing)."""
        known = TRANSFORMS[transform](values[~np.isnan(values)])
        if not len(known):
            return cls(transform=transform, mean=0.0, deviation=1.0)
        inner: Array = np.linspace(0, 1, num_bins + 1)[1:-1] if num_bins else np.array([])
        # An edge at the lowest value would make an empty first bin.
        edges = np.unique(np.quantile(known, inner)) if num_bins else np.array([])
        lowest, highest = known.min(), known.max()
        edges = edges[edges > lowest]
        # Of a constant, mean and deviation are off by rounding, and their quotient would be noise.
        mean = float(np.clip(known.mean(), lowest, highest))
        deviation = float(known.std()) if lowest < highest else 1.0
        return cls(transform=transform, mean=mean, deviation=deviation, edges=tuple(edges))

    @property
    def num_codes(self) -> int:
        return len(self.edges) + 2

    def scale(self, values: Array) -> NDArray[np.float32]:
        """`[row, 2]`: the scaled value (0 where missing) and whether it is missing."""
        missing = np.isnan(values)
        scaled = (TRANSFORMS[self.transform](np.where(missing, 0.0, values)) - self.mean) / self.deviation
        scaled = np.where(missing, 0.0, np.clip(scaled, -FARTHEST, FARTHEST))
        return np.stack([scaled, missing], axis=1).astype(np.float32)

    def bins(self, values: Array) -> NDArray[np.int32]:
        """`[row]`: 0 missing, then 1 for the lowest quantile bin and up."""
        missing = np.isnan(values)
        at = np.searchsorted(np.array(self.edges), TRANSFORMS[self.transform](values), side="right") + 1
        return np.where(missing, 0, at).astype(np.int32)
