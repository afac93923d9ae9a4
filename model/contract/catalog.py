"""EntityTable: the encoded features of all videos (the catalog) or all users, by id, memory-mapped."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.contract.features.interface import Arrays
from model.contract.vocabulary import NUM_RESERVED, Vocabulary, tokens

IDS_FILE = "ids.npy"


@dataclass(frozen=True, slots=True)
class EntityTable:
    """Arrays `[entity + 1, ...]` in the order of the ids' bytes; the last row stands for every id that is not here."""

    ids: Vocabulary
    arrays: Arrays

    @classmethod
    def build(cls, ids: Sequence[str], arrays: Arrays, missing: Arrays) -> "EntityTable":
        """`arrays` rows belong to `ids`, which are distinct; `missing` has the one row of an unknown id."""
        order = np.argsort(tokens(ids), kind="stable")
        return cls(
            Vocabulary.of(ids),
            {name: np.concatenate([array[order], missing[name]]) for name, array in arrays.items()},
        )

    @property
    def num_entities(self) -> int:
        return len(self.ids.tokens)

    def rows(self, ids: Sequence[str | None]) -> NDArray[np.int64]:
        """The row of each id, `num_entities` where it is not here."""
        codes = self.ids.codes(ids).astype(np.int64)
        return np.where(codes >= NUM_RESERVED, codes - NUM_RESERVED, self.num_entities)

    def lookup(self, name: str, ids: Sequence[str | None]) -> NDArray[Any]:
        return np.asarray(self.arrays[name][self.rows(ids)])

    def gather(self, rows: NDArray[np.int64]) -> Arrays:
        return {name: np.asarray(array[rows]) for name, array in self.arrays.items()}

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        np.save(folder / IDS_FILE, self.ids.tokens, allow_pickle=False)
        for name, array in self.arrays.items():
            np.save(folder / f"{name}.array.npy", array, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> "EntityTable":
        def mapped(path: Path) -> NDArray[Any]:
            # numpy cannot map an empty array.
            return np.load(path, mmap_mode="r" if path.stat().st_size > 4096 else None, allow_pickle=False)

        arrays = {path.name.removesuffix(".array.npy"): mapped(path) for path in sorted(folder.glob("*.array.npy"))}
        return cls(Vocabulary(mapped(folder / IDS_FILE)), arrays)
