"""A history: the newest interactions, newest first, each beside its own outcomes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.contract.columns import Histories
from model.contract.features.interface import Fitted
from model.contract.vocabulary import Vocabulary
from tests.model.builders import feature

LENGTH, MEANS = 3, (0.25, 0.5)
VOCABULARY = Vocabulary.of(["a", "b", "c"])
FITTED = Fitted({"video_id": VOCABULARY}, {}, {"recent": MEANS})
RECENT = feature(kind="history", name="recent", side="user", of="video_id", outcomes=["click", "like"], length=LENGTH)
outcome = st.none() | st.booleans() | st.floats(-9, 9, width=32)
interactions = st.fixed_dictionaries(
    {
        "video_id": st.sampled_from(["a", "b", "c", "unheard of", None]),
        "outcomes": st.fixed_dictionaries({"click": outcome, "like": outcome}),
    }
)


@given(st.lists(st.lists(interactions, max_size=6), max_size=4))
def test_the_newest_come_first_and_unreported_outcomes_take_the_mean(
    rows: list[list[dict[str, dict[str, float]]]],
) -> None:
    arrays = RECENT.encode(Histories.from_values(rows, RECENT.shape), FITTED)
    for row, codes, outcomes in zip(rows, arrays["recent"], arrays["recent.outcomes"], strict=True):
        newest = row[::-1][:LENGTH]
        padding = LENGTH - len(newest)
        assert codes.tolist() == [*VOCABULARY.codes([one["video_id"] for one in newest]), *[0] * padding]
        given_outcomes = [
            [
                mean if one["outcomes"][name] is None else one["outcomes"][name]
                for name, mean in zip(("click", "like"), MEANS, strict=True)
            ]
            for one in newest
        ]
        np.testing.assert_array_equal(outcomes, np.array([*given_outcomes, *[[0, 0]] * padding], dtype=np.float32))


def test_it_owns_no_table_and_both_arrays_are_its_own() -> None:
    assert RECENT.tables(FITTED) == {}
    assert [(spec.name, spec.table, spec.part_of) for spec in RECENT.specs] == [
        ("recent", "video_id", "recent"),
        ("recent.outcomes", None, "recent"),
    ]


@pytest.mark.parametrize("outcomes", [[], None])
def test_a_history_without_outcomes_is_refused(outcomes: list[str] | None) -> None:
    with pytest.raises(ValueError, match="outcomes"):
        feature(kind="history", name="recent", side="user", of="video_id", outcomes=outcomes)
