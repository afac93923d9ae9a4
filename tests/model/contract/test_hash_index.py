"""The index finds every token and no other, also where all hashes are the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from model.contract import hash_index
from model.contract.hash_index import find, find_one, hashes_of, index_of

tokens = st.binary(min_size=1, max_size=20).filter(lambda one: b"\0" not in one)
token_sets = st.sets(tokens, max_size=20)


def array(values: set[bytes]) -> NDArray[np.bytes_]:
    return np.array(sorted(values) or [], dtype="S24")


def check(known: set[bytes], asked: set[bytes]) -> None:
    sorted_tokens, wanted = array(known), array(known | asked)
    index = index_of(sorted_tokens)
    places = find([(sorted_tokens, index)], wanted, (0, len(wanted)))
    assert places.tolist() == [find_one(sorted_tokens, index, one) for one in wanted.tolist()]
    assert [sorted(known)[at] if at >= 0 else None for at in places] == [
        one if one in known else None for one in wanted.tolist()
    ]


@given(token_sets, token_sets)
def test_what_is_there_is_found_and_nothing_else(known: set[bytes], asked: set[bytes]) -> None:
    check(known, asked)


def test_tokens_of_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_index, "hashes_of", lambda tokens: np.zeros(len(tokens), dtype=np.uint64))
    monkeypatch.setattr(hash_index, "_hash_of", lambda token: 0)
    check({b"a", b"b", b"c"}, {b"0", b"bb", b"z"})


@given(st.lists(tokens, min_size=1))
def test_the_width_of_the_array_changes_no_hash(values: list[bytes]) -> None:
    np.testing.assert_array_equal(hashes_of(np.array(values, "S24")), hashes_of(np.array(values, "S61")))


def test_similar_tokens_have_hashes_of_their_own() -> None:
    names = np.array([f"{kind}:{at}" for kind in ("user", "video_1", "video_2") for at in range(50_000)], dtype=bytes)
    assert len(np.unique(hashes_of(names))) == len(names)
