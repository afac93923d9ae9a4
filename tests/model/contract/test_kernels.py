"""Kernels: they are there wherever they could be compiled, and take nothing that does not fit."""

import shutil
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.contract import kernels
from model.contract.hash_tables import HashTables
from model.contract.texts import Texts


def test_they_are_there_where_there_is_a_compiler() -> None:
    if not shutil.which("cc") or not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        pytest.skip("no C compiler, or no headers of Python")
    assert kernels.COMPILED is not None


@pytest.fixture
def compiled() -> Any:
    if kernels.COMPILED is None:
        pytest.skip("the kernels were not compiled: there was no C compiler when the package was installed")
    return kernels.COMPILED


HALF, VALUES = np.zeros((1, 6), dtype=np.float32), np.zeros((3, 6), dtype=np.float32)
PLACES, SHAPES = np.array([0, 2], dtype=np.int32), np.array([[2, 2, 0], [1, 2, 0]])


@pytest.mark.parametrize(
    "change",
    [
        {"item": 3},
        {"item": 2**62},
        {"places": np.array([0, 3], dtype=np.int32)},
        {"places": np.array([-2, 0], dtype=np.int32)},
        {"places": PLACES[:1]},
        {"places": PLACES[:0]},
        {"half": HALF[:, :5].copy()},
        {"half": HALF[:, :0].copy()},
        {"shapes": SHAPES[:1]},
        {"shapes": np.array([[2, -2, 0], [5, 2, 0]])},
        {"shapes": np.array([[2**62, 4, 0], [1, 6, 0]])},
        {"room": np.zeros(11, dtype=np.float32)},
        {"room": np.zeros(0, dtype=np.float32)},
    ],
)
def test_sums_that_do_not_fit_are_refused(compiled: Any, change: dict[str, Any]) -> None:
    given = {"half": HALF, "values": VALUES, "item": 4, "places": PLACES, "shapes": SHAPES, "room": np.zeros(12, "f")}
    compiled.add(*given.values())
    with pytest.raises(ValueError, match="fit each other"):
        compiled.add(*(given | change).values())


@pytest.mark.parametrize(
    "change",
    [
        {"lengths": np.array([2, 2])},
        {"lengths": np.array([-1, 4])},
        {"lengths": np.array([2**62, 1])},
        {"tables": np.array([1])},
        {"tables": np.array([-1])},
        {"tables": np.array([0, 0, 0])},
        {"places": np.array([[0, 9, 0, 7]])},
        {"places": np.array([[0, 1, 0, 6]])},
        {"places": np.array([[0, 1, 1, 7]])},
        {"places": np.array([[-1, 1, 0, 7]])},
        {"factors": np.zeros(7, dtype=np.uint64)},
        {"found": np.zeros(1, dtype=np.int64)},
    ],
)
def test_tables_that_do_not_fit_are_refused(compiled: Any, change: dict[str, Any]) -> None:
    tables = HashTables.of(Texts.of(["a"]).tokens())
    given = {
        "utf8": b"abc",
        "lengths": np.array([1, 2]),
        "tables": np.array([0]),
        "places": np.array([[0, 1, 0, 7]]),
        "words": tables.tokens[0].view(np.uint64),
        "index": tables.index,
        "factors": np.ones(8, dtype=np.uint64),
        "second": 1,
        "absent": -1,
        "found": np.zeros(2, dtype=np.int64),
    }
    assert len(tables.index) == 8
    compiled.find(*given.values())
    with pytest.raises(ValueError, match="fit each other"):
        compiled.find(*(given | change).values())


@pytest.mark.parametrize(
    "change",
    [
        {"num_rows": 3},
        {"num_rows": -1},
        {"num_rows": 2**40},
        {"of_column": bytes([0, 2])},
        {"of_column": bytes([0])},
        {"sources": (b'["a","b"]', b"[1")},
        {"sources": (b'["a","b"]', b"1,2]")},
        {"sources": (b'["a","b"]', b"")},
        {"sources": (b'["a","b', b"[1,2]")},
        {"sources": (b'["a","b\\', b"[1,2]")},
        {"sources": (b"[]", b"[]")},
        {"sources": (b"[]",) * 9},
    ],
)
def test_rows_without_their_values_are_refused(compiled: Any, change: dict[str, Any]) -> None:
    given = {
        "between": (b"<", b"|", b">"),
        "sources": (b'["a","\\",]"]', b"[1,null]"),
        "of_column": b"\0\1",
        "num_rows": 2,
    }
    assert compiled.rows(*given.values()) == b'<"a"|1><"\\",]"|null>'
    with pytest.raises(ValueError, match="rows: expected a value of each column"):
        compiled.rows(*(given | change).values())
    with pytest.raises(TypeError):
        compiled.rows(("<", b"|", b">"), *[*given.values()][1:])


def test_places_outside_of_the_words_are_left_to_numpy(compiled: Any) -> None:
    found = np.zeros(1, dtype=np.int64)
    index, words, ones = np.full(8, 5, dtype=np.int32), np.zeros(1, dtype=np.uint64), np.ones(8, dtype=np.uint64)
    compiled.find(b"a", np.array([1]), np.array([0]), np.array([[0, 1, 0, 7]]), words, index, ones, 1, -1, found)
    assert found.tolist() == [-2]
