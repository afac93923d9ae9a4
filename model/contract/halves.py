"""Halves: candidates' parts of the first layer, computed when a bundle is published, for as many videos as are worth
their memory.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.contract.bfloat16 import Bfloats, rounded
from model.contract.durable import mapped
from model.contract.serving import Precision

NOWHERE = -1
VALUES_FILE, PLACES_FILE = "values.npy", "places.npy"
HalfValues = NDArray[np.float32] | Bfloats  # [half, dim]
Places = NDArray[np.int32]
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
    places: Places

    @classmethod
    def of(cls, values: HalfValues, rows: NDArray[np.int64], num_entities: int) -> "Halves":
        """`values` belong to these rows of a catalog."""
        places = np.full(num_entities + 1, NOWHERE, dtype=np.int32)
        places[rows] = np.arange(len(rows), dtype=np.int32)
        return cls(values, places)

    @property
    def dim(self) -> int:
        return int(self.values.shape[1])

    @property
    def row_bytes(self) -> int:
        return self.dim * self.values.itemsize

    def known(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        return self.places[rows] != NOWHERE

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        np.save(folder / VALUES_FILE, self.values, allow_pickle=False)
        np.save(folder / PLACES_FILE, self.places, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> "Halves":
        return cls(mapped(folder / VALUES_FILE), mapped(folder / PLACES_FILE))
