"""Tally: how values fell into the bins of some distributions, counted by each worker in a file that all can read."""

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.contract.drift import Distribution
from model.contract.durable import runs
from model.contract.mistakes import Strict

LAYOUT = "layout.json"
TOTAL, WINDOW = 0, 1  # rows of a file
NUM_SLOTS, SLOT_REQUESTS = 10, 1_000  # the window: the last 9,000 to 10,000 requests of each worker
Cells = NDArray[np.float64]
Key = tuple[str, str]  # family, name


class Layout(Strict):
    """Distributions by family and name. Each has a cell a bin, then one for the sum of its values."""

    families: dict[str, dict[str, Distribution]]

    @cached_property
    def places(self) -> dict[Key, slice]:
        places, start = {}, 0
        for key, one in self.distributions.items():
            places[key] = slice(start, start + one.num_bins + 1)
            start += one.num_bins + 1
        return places

    @cached_property
    def distributions(self) -> Mapping[Key, Distribution]:
        return {(family, name): one for family, named in self.families.items() for name, one in named.items()}

    @property
    def num_cells(self) -> int:
        return sum(one.num_bins + 1 for one in self.distributions.values())


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one distribution, over all workers: `total` `[bin]` and `sum` since they began, those that ended included;
    `window` `[bin]` of late, of those that live.
    """

    distribution: Distribution
    total: Cells
    sum: float
    window: Cells


class Tally:
    """This worker's part. Not for several threads at once. Whoever reads while it writes may miss the newest values of
    some bins, and no more than that.
    """

    def __init__(self, folder: Path, layout: Layout) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._layout = folder, layout
        _put(folder / LAYOUT, layout.model_dump_json().encode())
        self._path = folder / f"{os.getpid()}.npy"
        beside = self._path.with_suffix(".part")
        self._cells: Cells = np.lib.format.open_memmap(beside, "w+", np.float64, (2, layout.num_cells))
        os.replace(beside, self._path)
        self._slots = np.zeros((NUM_SLOTS, layout.num_cells))
        self._slot, self._num_requests = 0, 0

    def add(self, key: Key, values: NDArray[Any]) -> None:
        """`[value]`; of codes there is no sum. What the layout does not have is not counted."""
        if key not in self._layout.places:
            return
        distribution, place = self._layout.distributions[key], self._layout.places[key]
        counts = distribution.count(values)
        total = float(values[np.isfinite(values)].sum()) if distribution.kind == "intervals" else 0.0
        for cells in (self._slots[self._slot], self._cells[TOTAL]):
            cells[place] += np.append(counts, total)

    def end_of(self, num_requests: int) -> None:
        """So many requests were added: the window moves on."""
        self._cells[WINDOW] = self._slots.sum(axis=0)
        self._num_requests += num_requests
        if self._num_requests >= SLOT_REQUESTS:
            self._slot, self._num_requests = (self._slot + 1) % NUM_SLOTS, 0
            self._slots[self._slot] = 0.0

    def close(self) -> None:
        """Forget it, and the whole folder where no other worker that lives has a part in it."""
        self._path.unlink(missing_ok=True)
        if not any(runs(int(path.stem)) for path in self._folder.glob("*.npy")):
            shutil.rmtree(self._folder, ignore_errors=True)


def read(folder: Path) -> Iterator[tuple[Key, Counts]]:
    """The counts of all workers together; nothing where there are none."""
    try:
        layout = Layout.model_validate_json((folder / LAYOUT).read_bytes())
        parts = [(path, np.load(path, allow_pickle=False)) for path in folder.glob("*.npy")]
    except FileNotFoundError:  # closed meanwhile
        return
    nothing = np.zeros(layout.num_cells)
    total = sum((cells[TOTAL] for _, cells in parts), nothing)
    window = sum((cells[WINDOW] for path, cells in parts if runs(int(path.stem))), nothing)
    for key, place in layout.places.items():
        yield key, Counts(layout.distributions[key], total[place][:-1], float(total[place][-1]), window[place][:-1])


def _put(path: Path, content: bytes) -> None:
    """At once, for others may read it."""
    beside = path.with_suffix(f".{os.getpid()}")
    beside.write_bytes(content)
    os.replace(beside, path)
