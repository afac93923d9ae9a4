"""Touched: which rows of the fused embedding tables a batch reads, each once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from model.embeddings import Embeddings
from training.hardware import moved


@dataclass(frozen=True, slots=True)
class Touched:
    """`rows` of each fused table, no number twice; `places` of each array: where among them its codes are."""

    rows: Mapping[str, Tensor]
    places: Mapping[str, Tensor]

    def on(self, device: torch.device) -> "Touched":
        return Touched(moved(self.rows, device), moved(self.places, device))


class RowFinder:
    """Finds them without sorting, by a note for every row of a table; its notes mean nothing between two batches."""

    def __init__(self, embeddings: Embeddings) -> None:
        self.slots = embeddings.slots
        self.notes = {name: np.empty(one.num_embeddings, np.int32) for name, one in embeddings.fused.items()}

    def find(self, arrays: Mapping[str, Tensor]) -> Touched:
        rows: dict[str, Tensor] = {}
        places: dict[str, Tensor] = {}
        for fused, notes in self.notes.items():
            names = [name for name, slot in self.slots.items() if slot.fused == fused]
            shifted = [arrays[name].numpy().ravel() + self.slots[name].start for name in names]
            codes = np.concatenate(shifted, dtype=np.int64)
            at = np.arange(len(codes), dtype=np.int32)
            notes[codes] = at  # of equal codes one stays
            found = np.sort(codes.compress(notes.take(codes) == at))  # memory is read faster in its order
            notes[found] = at[: len(found)]
            parts = np.split(notes.take(codes), np.cumsum([arrays[name].numel() for name in names])[:-1])
            rows[fused] = torch.from_numpy(found)
            shaped = (part.reshape(arrays[name].shape) for name, part in zip(names, parts, strict=True))
            places |= dict(zip(names, map(torch.from_numpy, shaped), strict=True))
        return Touched(rows, places)
