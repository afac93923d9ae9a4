"""Halves: candidates' parts of the first layer, computed when a bundle is published, for as many videos as are worth
their memory.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.contract.bfloat16 import Bfloats, is_bfloat16, rounded
from model.contract.durable import mapped
from model.contract.serving import Precision

NOWHERE = -1
VALUES_FILE, PLACES_FILE = "values.npy", "places.npy"
HalfValues = NDArray[np.float32] | Bfloats  # [half, dim]
KEPT_IN: Mapping[Precision, Callable[[NDArray[np.float32]], HalfValues]] = {
    Precision.FLOAT32: lambda computed: computed,
    Precision.BFLOAT16: rounded,
}


@dataclass(frozen=True, slots=True)
class Halves:
    """`values` are in the precision in which the rank graph is to run; `places` has for every row of the catalog where
    its half stands there, or NOWHERE, as for the last row, which is that of all unknown videos.
    """

    values: HalfValues
    places: NDArray[np.int32]

    @classmethod
    def of(cls, values: HalfValues, rows: NDArray[np.int64], num_entities: int) -> "Halves":
        """`values` belong to these rows of a catalog."""
        places = np.full(num_entities + 1, NOWHERE, dtype=np.int32)
        places[rows] = np.arange(len(rows), dtype=np.int32)
        return cls(values, places)

    @property
    def row_bytes(self) -> int:
        return self.values.shape[1] * self.values.itemsize

    def known(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        return self.places[rows] != NOWHERE

    def gather(self, rows: NDArray[np.int64]) -> HalfValues:
        """`[row, dim]`; what stands where nothing is known is for the caller to write."""
        places = self.places[rows]
        if len(self.values):
            return self.values.take(places, axis=0, mode="clip")  # indexing would take longer
        return np.empty((len(rows), self.values.shape[1]), dtype=self.values.dtype)

    def alike(self, computed: NDArray[np.float32]) -> HalfValues:
        """Halves that were computed just now, in the precision of those that are kept."""
        return rounded(computed) if is_bfloat16(self.values) else computed

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        np.save(folder / VALUES_FILE, self.values, allow_pickle=False)
        np.save(folder / PLACES_FILE, self.places, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> "Halves":
        return cls(mapped(folder / VALUES_FILE), mapped(folder / PLACES_FILE))
