"""Touched: which rows of the fused embedding tables a batch reads, each once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from model.embeddings import Embeddings


@dataclass(frozen=True, slots=True)
class Touched:
    """`rows` of each fused table, no number twice; `places` of each array: where among them its codes are."""

    rows: Mapping[str, Tensor]
    places: Mapping[str, Tensor]


class RowFinder:
    """Finds them without sorting, by a note for every row of a table; its notes mean nothing between two batches."""

    def __init__(self, embeddings: Embeddings) -> None:
        self.slots = embeddings.slots
        self.notes = {name: np.empty(one.num_embeddings, np.int32) for name, one in embeddings.fused.items()}

    def find(self, arrays: Mapping[str, Tensor]) -> Touched:
        rows, places = {}, {}
        for fused, notes in self.notes.items():
            names = [name for name, slot in self.slots.items() if slot.fused == fused]
            codes = np.concatenate([arrays[name].numpy().ravel() + self.slots[name].start for name in names])
            at = np.arange(len(codes), dtype=np.int32)
            notes[codes] = at  # of equal codes one stays
            found = codes[notes[codes] == at]
            notes[found] = at[: len(found)]
            parts = np.split(notes[codes], np.cumsum([arrays[name].numel() for name in names])[:-1])
            rows[fused] = torch.from_numpy(found.astype(np.int64))
            places |= {
                name: torch.from_numpy(part.reshape(arrays[name].shape))
                for name, part in zip(names, parts, strict=True)
            }
        return Touched(rows, places)
