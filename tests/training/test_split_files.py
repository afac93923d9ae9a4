"""Runs of rows land in their places, in whatever order they come."""

from pathlib import Path

import numpy as np
import pytest

from training.split_files import SplitFiles

SHAPES = {"codes": ((), np.int32), "summary": ((3,), np.float32), "seen": ((2,), np.bool_)}


def test_what_is_written_is_what_numpy_loads(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {name: rng.integers(0, 2, (10, *shape)).astype(kind) for name, (shape, kind) in SHAPES.items()}
    with SplitFiles(tmp_path / "train", SHAPES, 10) as files:
        for first, last in ((6, 10), (0, 1), (1, 6)):
            files.write(first, {name: array[first:last] for name, array in arrays.items()})
    for name, array in arrays.items():
        loaded = np.load(tmp_path / "train" / f"{name}.npy", mmap_mode="r")
        assert loaded.dtype == array.dtype
        np.testing.assert_array_equal(loaded, array)


def test_rows_of_another_type_are_refused(tmp_path: Path) -> None:
    with (
        SplitFiles(tmp_path / "train", {"codes": SHAPES["codes"]}, 2) as files,
        pytest.raises(TypeError, match="int64"),
    ):
        files.write(0, {"codes": np.zeros(2, dtype=np.int64)})
