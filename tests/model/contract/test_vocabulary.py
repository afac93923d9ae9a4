"""Every string has a code of its own, whatever it is made of and in whatever order strings came."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.contract.texts import LONGEST_TOKEN, token
from model.contract.vocabulary import (
    MISSING,
    MOST_AT_ONCE,
    NUM_RESERVED,
    UNKNOWN,
    Vocabulary,
    codes_of_each,
    load,
    save,
)

LONG = "x" * (LONGEST_TOKEN + 1)
TRICKY = [
    *("1e16", "10000000000000000", "007", "7", "9007199254740993", "9007199254740992", "1.0", "1"),
    *("a", "a\0", "a\0\0", "\0", "a\0b", " ", "null", "nan", "\x01", "\ud800"),
    *("é", "e\u0301", "🎬", LONG, LONG + "x", "x" * LONGEST_TOKEN, "ж" * LONGEST_TOKEN, "y" * 100_000),
    token(LONG.encode()).decode(),
]
strings = st.sampled_from(TRICKY) | st.text(min_size=1, max_size=LONGEST_TOKEN + 8)
some_strings = st.lists(strings, unique=True, max_size=30)


@given(some_strings)
def test_distinct_strings_have_distinct_codes(values: list[str]) -> None:
    vocabulary = Vocabulary.of(values)
    codes = vocabulary.codes(values)
    assert codes.dtype == np.int32
    assert sorted(codes) == list(range(NUM_RESERVED, vocabulary.num_codes))


def test_tricky_strings_stay_apart_all_at_once() -> None:
    assert Vocabulary.of(TRICKY).num_codes == len(TRICKY) + NUM_RESERVED


@given(some_strings, some_strings)
def test_what_was_not_fitted_is_unknown_and_nothing_is_missing(known: list[str], asked: list[str]) -> None:
    codes = Vocabulary.of(known).codes([*asked, None, ""])
    assert [code == UNKNOWN for code in codes[:-2]] == [one not in known for one in asked]
    assert list(codes[-2:]) == [MISSING, MISSING]


@given(some_strings.flatmap(lambda values: st.tuples(st.just(values), st.permutations(values))))
def test_codes_do_not_depend_on_the_order_or_on_repetitions(both: tuple[list[str], list[str]]) -> None:
    values, shuffled = both
    np.testing.assert_array_equal(Vocabulary.of(values).tokens, Vocabulary.of([*shuffled, *values]).tokens)


@given(some_strings)
def test_a_string_has_one_code_in_any_company(values: list[str]) -> None:
    vocabulary = Vocabulary.of(values)
    alone = [int(vocabulary.codes([value])[0]) for value in values]
    assert list(vocabulary.codes([*values, None])) == [*alone, MISSING]


@pytest.mark.parametrize("more", [0, 1_000])
def test_a_saved_vocabulary_gives_the_same_codes(tmp_path: Path, more: int) -> None:
    vocabulary = Vocabulary.of([*TRICKY, *map(str, range(100, 100 + more))])
    other = Vocabulary.of(["of", "another"])
    save([other, vocabulary], tmp_path, "both")
    loaded_other, loaded = load(tmp_path, "both")
    np.testing.assert_array_equal(loaded.codes(TRICKY), vocabulary.codes(TRICKY))
    np.testing.assert_array_equal(loaded_other.codes(["of", "TRICKY"]), other.codes(["of", "TRICKY"]))


def test_one_long_string_does_not_widen_the_array() -> None:
    assert Vocabulary.of(TRICKY).tokens.dtype.itemsize <= LONGEST_TOKEN


@given(st.lists(st.tuples(some_strings, st.lists(strings | st.none() | st.just(""), max_size=30)), max_size=5))
def test_searching_several_at_once_finds_what_each_would(asked: list[tuple[list[str], list[str | None]]]) -> None:
    apart = [Vocabulary.of(known) for known, _ in asked]
    with TemporaryDirectory() as folder:
        save(apart, Path(folder), "all")
        loaded = load(Path(folder), "all")
    expected = [one.codes(values).tolist() for one, (_, values) in zip(apart, asked, strict=True)]
    for vocabularies in (apart, loaded):
        found = codes_of_each([(one, values) for one, (_, values) in zip(vocabularies, asked, strict=True)])
        assert [one.tolist() for one in found] == expected
        assert all(one.dtype == np.int32 for one in found)


def test_of_several_those_too_long_for_one_search_are_found_too() -> None:
    numbers, few = Vocabulary.of(list(map(str, range(10)))), ["3", None, "x"]
    long, short, other = codes_of_each([(numbers, ["7"] * (MOST_AT_ONCE + 1)), (numbers, few), (numbers, few)])
    assert set(long.tolist()) == {7 + NUM_RESERVED}
    assert short.tolist() == other.tolist() == [3 + NUM_RESERVED, MISSING, UNKNOWN]
