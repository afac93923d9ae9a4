"""Documents: what is written is read; what another hand wrote is None and spoils none of its neighbours."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.contract.stored_features import UserFeatures, VideoFeatures, read_documents, write_document

TEXT = st.text(st.characters(exclude_categories=("Cs",)))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda one: st.lists(one, max_size=3) | st.dictionaries(TEXT, one, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(TEXT, VALUES, max_size=4), max_size=4))
def test_what_is_written_is_read(of_many: list[dict[str, Any]]) -> None:
    written = [write_document(VideoFeatures(features=features)) for features in of_many]
    assert read_documents(written) == [{"features": features} for features in of_many]


def test_a_history_keeps_its_order_and_its_outcomes() -> None:
    history = [{"video_id": "b", "outcomes": {"like": True, "seen": None}}, {"video_id": "a"}]
    [found] = read_documents([write_document(UserFeatures.model_validate({"history": history}))])
    told = [{"video_id": "b", "outcomes": {"like": 1.0, "seen": None}}, {"video_id": "a", "outcomes": {}}]
    assert found == {"features": {}, "history": told}


@pytest.mark.parametrize("wrong", [b"", b"[", b"1", b"{}", b'{"features": []}', b'{"features": {}}, 1', b"\xff", b"]["])
def test_what_another_hand_wrote_is_none(wrong: bytes) -> None:
    right = b'{"features": {"a": 1}}'
    assert read_documents([right, wrong, right]) == [{"features": {"a": 1}}, None, {"features": {"a": 1}}]
