"""A catalog finds each id's row in any order, from memory and from disk, and has one row for all other ids."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.contract.catalog import EntityTable
from model.contract.features.interface import Arrays

MISSING: Arrays = {"code": np.array([-1], dtype=np.int32), "vector": np.full((1, 3), -1, dtype=np.float32)}
ids_of_entities = st.lists(st.text(min_size=1, max_size=80), unique=True, max_size=20)


def table_of(ids: list[str]) -> EntityTable:
    codes = np.arange(len(ids), dtype=np.int32)
    vectors = np.random.default_rng(len(ids)).normal(size=(len(ids), 3)).astype(np.float32)
    return EntityTable.build(ids, {"code": codes, "vector": vectors}, MISSING)


@given(ids_of_entities, st.text())
def test_every_id_has_the_row_it_came_with(ids: list[str], stranger: str) -> None:
    table = table_of(ids)
    assert table.num_entities == len(ids)
    expected = ids.index(stranger) if stranger in ids else -1
    assert table.lookup("code", [*ids, stranger, None, ""]).tolist() == [*range(len(ids)), expected, -1, -1]
    rows = table.rows([*ids[::-1], None])
    assert table.gather(rows)["code"].tolist() == [*reversed(range(len(ids))), -1]
    assert (rows == table.num_entities).tolist() == [*[False] * len(ids), True]


@pytest.mark.parametrize("size", [0, 1, 3_000])
def test_a_saved_table_is_the_same_bit_for_bit(tmp_path: Path, size: int) -> None:
    ids = [f"id {at}" for at in np.random.default_rng(0).permutation(size)]
    table = table_of(ids)
    table.save(tmp_path / "videos")
    loaded = EntityTable.load(tmp_path / "videos")
    np.testing.assert_array_equal(loaded.ids.tokens, table.ids.tokens)
    assert loaded.arrays.keys() == table.arrays.keys()
    for name, array in table.arrays.items():
        np.testing.assert_array_equal(loaded.arrays[name], array)
        assert loaded.arrays[name].dtype == array.dtype
    assert loaded.lookup("code", [*ids, "stranger"]).tolist() == [*range(size), -1]


def is_mapped(array: object) -> bool:
    return isinstance(array, np.memmap) or (isinstance(array, np.ndarray) and is_mapped(array.base))


def test_large_arrays_are_mapped_and_cannot_be_written(tmp_path: Path) -> None:
    table_of([str(at) for at in range(3_000)]).save(tmp_path / "videos")
    loaded = EntityTable.load(tmp_path / "videos")
    for array in (loaded.ids.tokens, loaded.ids.tables.index, *loaded.arrays.values()):
        assert is_mapped(array)
        assert not array.flags.writeable
    assert not isinstance(loaded.lookup("code", ["1"]), np.memmap)


def test_arrays_of_binned_features_keep_their_names(tmp_path: Path) -> None:
    row = np.zeros(1, dtype=np.int32)
    EntityTable.build(["a"], {"age.bin": row, "ids": row}, {"age.bin": row, "ids": row}).save(tmp_path / "videos")
    assert set(EntityTable.load(tmp_path / "videos").arrays) == {"age.bin", "ids"}
