"""Sums: a request's half of the first layer and each candidate's, added, and laid as the rank graph reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.contract import kernels
from model.contract.bfloat16 import is_bfloat16, rounded, widened
from model.contract.features.interface import Arrays
from model.contract.graphs import ENTERED, RECTIFIED
from model.contract.halves import NOWHERE, HalfValues, Places
from model.contract.serving import Precision

FLOAT32, BFLOAT16 = np.dtype(np.float32), np.dtype(np.uint16)


@dataclass(frozen=True, slots=True)
class Part:
    """Neighbouring columns of a half that the rank graph reads as one array: `[candidate, *networks, width]`, as they
    lie in a half; rectified ones, which networks multiply next, `[*networks, candidate, width]`.
    """

    name: str
    networks: tuple[int, ...]
    width: int
    is_rectified: bool

    @classmethod
    def of(cls, name: str, shape: Sequence[Any]) -> "Part":
        """What a graph reads under this name."""
        is_rectified = name.startswith(RECTIFIED)
        return cls(name, tuple(shape[:-2] if is_rectified else shape[1:-1]), shape[-1], is_rectified)

    def shape(self, num_rows: int) -> tuple[int, ...]:
        before, behind = (self.networks, ()) if self.is_rectified else ((), self.networks)
        return (*before, num_rows, *behind, self.width)

    @property
    def num_columns(self) -> int:
        return int(np.prod(self.networks)) * self.width

    @property
    def pieces(self) -> tuple[int, int]:
        """In how many runs of neighbouring columns it is laid down, and how wide each of them is."""
        return (self.num_columns // self.width, self.width) if self.is_rectified else (1, self.num_columns)


class Layout:
    """The parts, in the order in which they lie in a half, and the precision in which they are read."""

    def __init__(self, inputs: Mapping[str, Sequence[Any]], precision: Precision) -> None:
        """`inputs` are the names and shapes of what the rank graph reads."""
        read = [(name, shape) for name, shape in inputs.items() if shape and name.startswith((ENTERED, RECTIFIED))]
        self.parts = [Part.of(name, shape) for name, shape in read]
        self.dtype = FLOAT32 if precision is Precision.FLOAT32 else BFLOAT16

    @cached_property
    def shapes(self) -> NDArray[np.int64]:
        """`[part, 3]`: its pieces, how wide each of them is, and whether they are rectified."""
        return np.array([(*one.pieces, one.is_rectified) for one in self.parts], dtype=np.int64)

    @property
    def dim(self) -> int:
        return sum(one.num_columns for one in self.parts)


class Sums:
    """Of one request and `num_rows` candidates: `arrays`, by the parts' names, to be filled by `add`."""

    def __init__(self, layout: Layout, num_rows: int) -> None:
        self._layout, self.num_rows, self.arrays, start = layout, num_rows, Arrays(), 0
        self._room = np.empty(num_rows * layout.dim, layout.dtype)
        for one in layout.parts:
            end = start + one.num_columns * num_rows
            self.arrays[one.name] = self._room[start:end].reshape(one.shape(num_rows))
            start = end

    def add(self, half: NDArray[np.float32], values: HalfValues, places: Places) -> None:
        """Candidate `i` has the half `values[places[i]]`, or is for another call where that is NOWHERE; the request's
        is `half`, `[1, dim]`.
        """
        if kernels.COMPILED is None:
            self._add_in_numpy(half, values, places)
        else:
            kernels.COMPILED.add(half, values, values.itemsize, places, self._layout.shapes, self._room)

    def _add_in_numpy(self, half: NDArray[np.float32], values: HalfValues, places: Places) -> None:
        rows = np.flatnonzero(places != NOWHERE)
        taken: NDArray[Any] = values.take(places[rows], axis=0)
        total: NDArray[np.float32] = (widened(taken) if is_bfloat16(taken) else taken) + half
        start = 0
        for array, (pieces, width, rectified) in zip(self.arrays.values(), self._layout.shapes.tolist(), strict=True):
            part = total[:, start : start + pieces * width].reshape(len(rows), pieces, width).transpose(1, 0, 2)
            found = np.maximum(part, 0) if rectified else part
            array.reshape(pieces, len(places), width)[:, rows] = rounded(found) if is_bfloat16(array) else found
            start += pieces * width
