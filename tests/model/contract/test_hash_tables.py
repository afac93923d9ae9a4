"""The tables find every token and no other, also where all hashes are the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from model.contract import hash_tables, kernels
from model.contract.hash_tables import HashTables, words_of
from model.contract.texts import Texts

ALPHABET = "ab\0\x01é\ud800"
texts = st.text(ALPHABET, max_size=4) | st.integers(0, 70).map("x".__mul__)  # some are too long, or not their own token
tokens = st.binary(min_size=1, max_size=20).filter(lambda one: b"\0" not in one)
token_sets = st.sets(tokens, max_size=20)


def array(values: set[bytes]) -> NDArray[np.bytes_]:
    """As wide as the longest needs, in whole words."""
    width = 8 * -(-max(map(len, values), default=1) // 8)
    return np.array(sorted(values), dtype=f"S{width}")


def check(known: set[bytes], asked: set[bytes]) -> None:
    check_each([(known, asked)])
    wanted = array(known | asked)
    expected = [sorted(known).index(one) if one in known else -1 for one in wanted.tolist()]
    assert HashTables.of(array(known)).find(words_of(wanted), 0).tolist() == expected


def check_each(several: list[tuple[set[bytes], set[bytes]]]) -> None:
    """All of them in one search, and each token alone."""
    together = HashTables.joined([(HashTables.of(array(known)), 0) for known, _ in several])
    wanted = [(one, at) for at, (known, asked) in enumerate(several) for one in sorted(known | asked)]
    expected = [sorted(several[at][0]).index(one) if one in several[at][0] else -1 for one, at in wanted]
    of_table = np.array([at for _, at in wanted], dtype=np.intp)
    assert together.find(words_of(np.array([one for one, _ in wanted], dtype="S24")), of_table).tolist() == expected
    assert [together.find_one(one, at) for one, at in wanted] == expected


@given(token_sets, token_sets)
def test_what_is_there_is_found_and_nothing_else(known: set[bytes], asked: set[bytes]) -> None:
    check(known, asked)


@given(st.lists(st.tuples(token_sets, token_sets), max_size=5))
def test_each_token_is_looked_for_in_its_own_table(several: list[tuple[set[bytes], set[bytes]]]) -> None:
    check_each(several)


@given(st.lists(st.tuples(st.sets(texts, max_size=9), st.lists(texts, max_size=9)), min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_texts_are_found_by_their_tokens(either: Any, several: list[tuple[set[str], list[str]]]) -> None:
    known = [np.unique(Texts.of(sorted(one)).tokens()) for one, _ in several]
    together = HashTables.joined([(HashTables.of(one), 0) for one in known])
    wanted = [(text, at) for at, (of_table, asked) in enumerate(several) for text in [*sorted(of_table), *asked]]
    expected = [
        list(known[at]).index(token) if text and (token := Texts.of([text]).tokens()[0]) in known[at] else -1
        for text, at in wanted
    ]
    asked, of_table = Texts.of([text for text, _ in wanted]), np.array([at for _, at in wanted], dtype=np.intp)
    assert together.find_texts(asked, of_table).tolist() == expected
    assert together.find_texts(asked, of_table, absent=99).tolist() == [99 if one < 0 else one for one in expected]
    for table in range(len(several)):
        alone = [at for at, number in enumerate(of_table) if number == table]
        one = Texts.of([wanted[at][0] for at in alone])
        assert together.find_texts(one, table).tolist() == [expected[at] for at in alone]


def test_many_texts_of_one_hash_are_told_apart(either: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_tables, "_SECOND", 0)  # so that all hashes are
    names = [f"name {at}" for at in range(100)]
    tables = HashTables.of(Texts.of(sorted(names)).tokens())
    asked = [*names, "name", "name 100"]
    expected = [sorted(names).index(one) if one in names else -1 for one in asked]
    assert tables.find_texts(Texts.of(asked), 0).tolist() == expected


def test_an_index_without_a_free_slot_ends_the_search_of_the_kernel() -> None:
    """`HashTables` never makes one."""
    if kernels.COMPILED is None:
        pytest.skip("the kernels were not compiled: there was no C compiler when the package was installed")
    tables = HashTables.of(Texts.of(["a"]).tokens())
    tables.index[:] = 0
    assert tables.find_texts(Texts.of(["a", "b"]), 0).tolist() == [0, -1]


def test_tokens_of_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_tables, "_hashes_of", lambda words: np.zeros(len(words), dtype=np.uint64))
    monkeypatch.setattr(hash_tables, "_hash_of", lambda token: 0)
    check({b"a", b"b", b"c"}, {b"0", b"bb", b"z"})
    check_each([({bytes([first]) for first in range(65, 85)}, {b"A", b"z"}), ({b"A", b"B" * 20}, {b"C", b"B" * 19})])


def test_a_token_is_not_what_it_begins_with_or_begins(tmp_path: Path) -> None:
    short, long = HashTables.of(np.array([b"12345678"])), HashTables.of(np.array([b"12345678", b"12345678abc"]))
    together = HashTables.joined([(short, 0), (long, 0), (long, 0)])
    wanted = np.array([b"12345678", b"12345678abc", b"12345678", b"12345678abc", b"12345678abcdefghi"])
    expected = [0, -1, 0, 1, -1]
    together.save(tmp_path, "three")
    for one in (together, HashTables.load(tmp_path, "three")):
        assert one.find(words_of(wanted), np.array([0, 0, 1, 2, 2])).tolist() == expected
        assert one.find(words_of(wanted)[:1], 0).tolist() == one.find(words_of(wanted)[:1], 1).tolist() == [0]
        assert [list(each) for each in one.tokens] == [[b"12345678"], *2 * [[b"12345678", b"12345678abc"]]]


@given(st.lists(tokens, min_size=1, max_size=20, unique=True))
def test_the_width_of_the_array_changes_nothing(values: list[bytes]) -> None:
    narrow, wide = (HashTables.of(np.array(values, dtype)) for dtype in ("S24", "S61"))
    for tables in (narrow, wide):
        for dtype in ("S24", "S61"):
            assert tables.find(words_of(np.array(values, dtype)), 0).tolist() == list(range(len(values)))


def test_similar_tokens_have_hashes_of_their_own() -> None:
    numbered = [f"{kind}:{at}" for kind in ("user", "video_1", "video_2") for at in range(50_000)]
    in_pairs = [f"user{of:04}item{at:04}" for of in range(250) for at in range(250)]  # both at one place of their words
    names = np.array([*numbered, *in_pairs], dtype=bytes)
    assert len(np.unique(hash_tables._hashes_of(words_of(names)))) == len(names)
