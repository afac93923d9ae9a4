"""EntityTable: the encoded features of all videos (the catalog) or all users, by id, memory-mapped."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.contract import vocabulary
from model.contract.durable import mapped
from model.contract.features.interface import Arrays
from model.contract.texts import Texts
from model.contract.vocabulary import Vocabulary

IDS = "ids"


@dataclass(frozen=True, slots=True)
class EntityTable:
    """Arrays `[entity + 1, ...]` in the order of the ids' bytes; the last row stands for every id that is not here."""

    ids: Vocabulary
    arrays: Arrays

    @classmethod
    def build(cls, ids: Sequence[str], arrays: Arrays, missing: Arrays) -> "EntityTable":
        """`arrays` rows belong to `ids`, which are distinct; `missing` has the one row of an unknown id."""
        order = np.argsort(Texts.of(ids).tokens(), kind="stable")
        return cls(
            Vocabulary.of(ids),
            {name: np.concatenate([array[order], missing[name]]) for name, array in arrays.items()},
        )

    @property
    def num_entities(self) -> int:
        return len(self.ids.tokens)

    def rows(self, ids: Sequence[str | None]) -> NDArray[np.int64]:
        """The row of each id, `num_entities` where it is not here."""
        return self.ids.places(ids, absent=self.num_entities)

    def lookup(self, name: str, ids: Sequence[str | None]) -> NDArray[Any]:
        return self.arrays[name][self.rows(ids)]

    def gather(self, rows: NDArray[np.int64], names: Iterable[str] | None = None) -> Arrays:
        """Those arrays, or all."""
        return {name: self.arrays[name][rows] for name in (self.arrays if names is None else names)}

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        vocabulary.save([self.ids], folder, IDS)
        for name, array in self.arrays.items():
            np.save(folder / f"{name}.array.npy", array, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> "EntityTable":
        arrays = {path.name.removesuffix(".array.npy"): mapped(path) for path in sorted(folder.glob("*.array.npy"))}
        [ids] = vocabulary.load(folder, IDS)
        return cls(ids, arrays)
