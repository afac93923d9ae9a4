"""SplitFiles: the arrays of one split, one file an array, written a run of rows at a time, from several threads."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

Shapes = Mapping[str, tuple[tuple[int, ...], type]]  # of a row, and its type, by the array's name


class SplitFiles:
    """Written and not mapped: a mapped page is memory of this process, and a full disk would kill it."""

    def __init__(self, folder: Path, shapes: Shapes, num_rows: int) -> None:
        folder.mkdir()
        self.files = {
            name: _File(folder / f"{name}.npy", kind, (num_rows, *shape)) for name, (shape, kind) in shapes.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for file in self.files.values():
            os.close(file.descriptor)

    @property
    def names(self) -> Iterable[str]:
        return self.files

    def write(self, first: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Rows `first` and on of every array that there is a file for."""
        for name, file in self.files.items():
            file.write(first, arrays[name])


class _File:
    def __init__(self, path: Path, kind: type, shape: tuple[int, ...]) -> None:
        self.start = open_memmap(path, mode="w+", dtype=kind, shape=shape).offset
        self.kind, self.row_bytes = np.dtype(kind), np.dtype(kind).itemsize * int(np.prod(shape[1:]))
        self.descriptor = os.open(path, os.O_RDWR)
        if hasattr(os, "posix_fallocate"):  # not on every system; where there is no room this says so at once
            os.posix_fallocate(self.descriptor, 0, path.stat().st_size)

    def write(self, first: int, rows: NDArray[Any]) -> None:
        if rows.dtype != self.kind:
            raise TypeError(f"rows of {rows.dtype} for a file of {self.kind}")
        left, at = np.ascontiguousarray(rows).data.cast("B"), self.start + first * self.row_bytes
        while left:
            written = os.pwrite(self.descriptor, left, at)
            left, at = left[written:], at + written
