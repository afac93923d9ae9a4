"""Texts are the strings that they were made of, and have the tokens of each."""

from hypothesis import given
from hypothesis import strategies as st

from model.contract.texts import HASHED, LONGEST_TOKEN, Texts, token

odd = st.sampled_from(["x" * 65, "x" * 64, "é" * 33, "a\0", "\0", "\x01", "b\x01", "\ud800", "🎬" * 20])
lists = st.lists(st.none() | odd | st.text(max_size=70), max_size=12)


@given(lists)
def test_texts_are_their_strings(values: list[str | None]) -> None:
    texts, expected = Texts.of(values), [value or "" for value in values]
    assert list(texts) == expected and len(texts) == len(values)
    assert [texts[at] for at in range(len(values))] == expected
    assert [texts[at - len(values)] for at in range(len(values))] == expected
    assert texts[1:3] == expected[1:3]
    assert Texts.of(texts) is texts


@given(lists)
def test_each_has_its_own_token_in_any_company(values: list[str | None]) -> None:
    tokens = Texts.of(values).tokens()
    assert tokens.tolist() == [token((value or "").encode("utf-8", "surrogatepass")) for value in values]
    assert tokens.dtype.itemsize % 8 == 0


def test_the_usual_string_is_its_token_and_an_odd_one_a_hash() -> None:
    assert token(b"v1") == b"v1" and token(b"x" * LONGEST_TOKEN) == b"x" * LONGEST_TOKEN
    for raw in (b"x" * (LONGEST_TOKEN + 1), b"a\0", HASHED):
        assert token(raw).startswith(HASHED) and len(token(raw)) == 49
