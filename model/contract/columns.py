"""Raw columns: the values of one feature for many rows, as they come from a table or from a request."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from model.contract.mistakes import mistake, quote
from model.contract.texts import Texts

LARGEST = float(np.finfo(np.float32).max)
Shape = Mapping[str, Any]  # what a feature fixes about its column: the length of a vector, the outcomes of a history


NO_SHAPE: Shape = MappingProxyType({})


class Column(ABC):
    """Values of one feature, one a row. `None` is a missing value everywhere."""

    @abstractmethod
    def __len__(self) -> int: ...

    @classmethod
    @abstractmethod
    def from_values(cls, values: Sequence[Any], shape: Shape) -> Self:
        """From plain Python values; raises InputError whose place is `[index]` of the wrong value."""


def text(value: object, where: str) -> str | None:
    """Ids and categories are strings: integers and booleans are spelled out, floats refused (1.0 is not an id)."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    raise mistake(where, "a string, an integer or a boolean", quote(value))


def finite(value: object, where: str) -> float:
    if value is None:
        return math.nan
    if isinstance(value, int | float) and abs(value) <= LARGEST:
        return float(np.float32(value))
    raise mistake(where, "a finite number", quote(value))


def items(value: object, where: str, what: str) -> Sequence[Any]:
    if isinstance(value, list | tuple):
        return value
    raise mistake(where, what, quote(value))


@dataclass(frozen=True, slots=True)
class Strings(Column):
    """Dictionary-encoded strings: row `i` is `distinct[index[i]]`."""

    distinct: Sequence[str | None]
    index: NDArray[np.integer[Any]]

    def __len__(self) -> int:
        return len(self.index)

    @classmethod
    def from_values(cls, values: Sequence[Any], shape: Shape = NO_SHAPE) -> Self:  # noqa: ARG003
        if isinstance(values, Texts) or {str, type(None)}.issuperset(map(type, values)):
            return cls(values, np.arange(len(values)))
        distinct = [text(value, f"[{row}]") for row, value in enumerate(values)]
        return cls(distinct, np.arange(len(distinct)))


@dataclass(frozen=True, slots=True)
class Numbers(Column):
    """Float64 with NaN where missing, already rounded to float32: a table's type then never decides a bin."""

    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def from_values(cls, values: Sequence[Any], shape: Shape = NO_SHAPE) -> Self:  # noqa: ARG003
        if {float}.issuperset(map(type, values)):
            numbers = np.array(values, dtype=np.float64)
            if (np.abs(numbers) <= LARGEST).all():
                return cls(numbers.astype(np.float32).astype(np.float64))
        return cls(np.array([finite(value, f"[{row}]") for row, value in enumerate(values)], dtype=np.float64))


@dataclass(frozen=True, slots=True)
class StringLists(Column):
    """Row `i` holds the next `lengths[i]` of the flat strings."""

    flat: Strings
    lengths: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lengths)

    @classmethod
    def from_values(cls, values: Sequence[Any], shape: Shape = NO_SHAPE) -> Self:  # noqa: ARG003
        rows = [() if value is None else items(value, f"[{row}]", "a list") for row, value in enumerate(values)]
        flat = [text(one, f"[{row}][{at}]") for row, value in enumerate(rows) for at, one in enumerate(value)]
        return cls(Strings.from_values(flat), np.array([len(row) for row in rows], dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Vectors(Column):
    """`[row, length]`, rows of NaN where missing."""

    values: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def from_values(cls, values: Sequence[Any], shape: Shape) -> Self:
        table = np.full((len(values), shape["length"]), np.nan, dtype=np.float32)
        for row, value in enumerate(values):
            if value is None:
                continue
            numbers = items(value, f"[{row}]", f"a list of {shape['length']} numbers")
            if len(numbers) != shape["length"]:
                raise mistake(f"[{row}]", f"a list of {shape['length']} numbers", f"{len(numbers)} numbers")
            for at, one in enumerate(numbers):
                table[row, at] = finite(one if one is not None else "null", f"[{row}][{at}]")
        return cls(table)


@dataclass(frozen=True, slots=True)
class Histories(Column):
    """Each row a list of interactions, oldest first: videos, and `outcomes` `[interaction, outcome]` (NaN unknown)."""

    videos: Strings
    outcomes: NDArray[np.float32]
    lengths: NDArray[np.int64]
    KEYS: ClassVar = ("video_id", "outcomes")

    def __len__(self) -> int:
        return len(self.lengths)

    @classmethod
    def from_values(cls, values: Sequence[Any], shape: Shape) -> Self:
        """Rows of `{"video_id": ..., "outcomes": {name: number}}`."""
        names = list(shape["outcomes"])
        videos: list[str | None] = []
        outcomes: list[list[float]] = []
        lengths: list[int] = []
        for row, value in enumerate(values):
            history = () if value is None else items(value, f"[{row}]", "a list of interactions")
            lengths.append(len(history))
            for at, one in enumerate(history):
                where = f"[{row}][{at}]"
                if not isinstance(one, Mapping):
                    raise mistake(where, "an object with `video_id` and `outcomes`", quote(one))
                videos.append(text(one.get("video_id"), f"{where}.video_id"))
                given = {} if one.get("outcomes") is None else one["outcomes"]
                if not isinstance(given, Mapping):
                    raise mistake(f"{where}.outcomes", "an object", quote(given))
                outcomes.append([finite(given.get(name), f"{where}.outcomes.{name}") for name in names])
        flat = np.array(outcomes, dtype=np.float32).reshape(len(videos), len(names))
        return cls(Strings.from_values(videos), flat, np.array(lengths, dtype=np.int64))


def padded(flat: NDArray[Any], lengths: NDArray[np.int64], width: int, newest_first: bool = False) -> NDArray[Any]:
    """Ragged rows to `[row, width, ...]`, zero-filled: the first `width` of a row, or its last ones in reverse."""
    ends = np.cumsum(lengths)
    offsets = np.arange(width)
    at = ends[:, None] - 1 - offsets if newest_first else (ends - lengths)[:, None] + offsets
    kept = offsets < lengths[:, None]
    out = np.zeros((len(lengths), width, *flat.shape[1:]), dtype=flat.dtype)
    out[kept] = flat[at[kept]]
    return out
