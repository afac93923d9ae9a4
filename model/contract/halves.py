"""Halves: candidates' parts of the first layer, computed when a bundle is published, for as many videos as are worth
their memory.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.contract.durable import mapped

NOWHERE = -1
VALUES_FILE, PLACES_FILE = "values.npy", "places.npy"


@dataclass(frozen=True, slots=True)
class Halves:
    """`values` `[half, dim]`; `places` has for every row of the catalog where its half stands there, or NOWHERE, as for
    the last row, which is that of all unknown videos.
    """

    values: NDArray[np.float32]
    places: NDArray[np.int32]

    @classmethod
    def of(cls, values: NDArray[np.float32], rows: NDArray[np.int64], num_entities: int) -> "Halves":
        """`values` belong to these rows of a catalog."""
        places = np.full(num_entities + 1, NOWHERE, dtype=np.int32)
        places[rows] = np.arange(len(rows), dtype=np.int32)
        return cls(values, places)

    @property
    def row_bytes(self) -> int:
        return self.values.shape[1] * self.values.itemsize

    def known(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        return self.places[rows] != NOWHERE

    def gather(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """`[row, dim]`; what stands where nothing is known is for the caller to write."""
        places = self.places[rows]
        if len(self.values):
            return self.values.take(places, axis=0, mode="clip")  # indexing would take longer
        return np.empty((len(rows), self.values.shape[1]), dtype=np.float32)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        np.save(folder / VALUES_FILE, self.values, allow_pickle=False)
        np.save(folder / PLACES_FILE, self.places, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> "Halves":
        return cls(mapped(folder / VALUES_FILE), mapped(folder / PLACES_FILE))
