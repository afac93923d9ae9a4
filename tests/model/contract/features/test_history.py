"""A history: the newest interactions, newest first, each beside its own outcomes."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.contract.columns import Histories
from model.contract.features.interface import Fitted
from model.contract.vocabulary import Vocabulary
from tests.model.builders import encoded, feature

Interaction = Mapping[str, Any]
LENGTH, MEANS, SMOOTHING = 3, (0.25, 0.5), 4.0
VOCABULARY = Vocabulary.of(["a", "b", "c"])
FITTED = Fitted({"video_id": VOCABULARY}, {}, {"recent": MEANS})
OPTIONS = {"outcomes": ["click", "like"], "length": LENGTH, "smoothing": SMOOTHING}
RECENT = feature(kind="history", name="recent", side="user", of="video_id", **OPTIONS)
outcome = st.none() | st.booleans() | st.floats(-9, 9, width=32)
interactions = st.fixed_dictionaries(
    {
        "video_id": st.sampled_from(["a", "b", "c", "unheard of", None]),
        "outcomes": st.fixed_dictionaries({"click": outcome, "like": outcome}),
    }
)


def in_deviations(interaction: Interaction) -> list[float]:
    """Each outcome as it should be encoded."""
    given_outcomes = [interaction["outcomes"][name] for name in ("click", "like")]
    return [
        0.0 if value is None else (value - mean) / math.sqrt(mean * (1 - mean))
        for value, mean in zip(given_outcomes, MEANS, strict=True)
    ]


@given(st.lists(st.lists(interactions, max_size=6), max_size=4))
def test_the_newest_come_first_in_deviations_and_unreported_outcomes_say_nothing(rows: list[list[Interaction]]) -> None:
    arrays = encoded(RECENT, Histories.from_values(rows, RECENT.shape), FITTED)
    for row, codes, outcomes in zip(rows, arrays["recent"], arrays["recent.outcomes"], strict=True):
        newest = row[::-1][:LENGTH]
        padding = LENGTH - len(newest)
        assert codes.tolist() == [*VOCABULARY.codes([one["video_id"] for one in newest]), *[0] * padding]
        expected = [*map(in_deviations, newest), *[[0, 0]] * padding]
        np.testing.assert_allclose(outcomes, expected, rtol=1e-6, atol=1e-6)


@given(st.lists(st.lists(interactions, max_size=6), max_size=4))
def test_the_summary_is_count_and_smoothed_means_of_the_interactions_with_a_video(
    rows: list[list[Interaction]],
) -> None:
    arrays = encoded(RECENT, Histories.from_values(rows, RECENT.shape), FITTED)
    for row, summary in zip(rows, arrays["recent.summary"], strict=True):
        known = [in_deviations(one) for one in row[::-1][:LENGTH] if one["video_id"] is not None]
        means = np.sum(known, axis=0) / (len(known) + SMOOTHING) if known else [0.0, 0.0]
        np.testing.assert_allclose(summary, [math.log1p(len(known)), *means], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("mean", "deviation"), [(0.2, 0.4), (0.0, 0.05), (1.0, 1.0), (40.0, 40.0), (-3.0, 3.0)])
def test_an_outcome_that_is_no_rate_is_measured_by_its_size(mean: float, deviation: float) -> None:
    recent = feature(kind="history", name="recent", side="user", of="video_id", outcomes=["click"], length=1)
    row = [{"video_id": "a", "outcomes": {"click": mean + deviation}}]
    fitted = Fitted({"video_id": VOCABULARY}, {}, {"recent": (mean,)})
    arrays = encoded(recent, Histories.from_values([row], recent.shape), fitted)
    assert arrays["recent.outcomes"].item() == pytest.approx(1.0, rel=1e-5)


def test_outcomes_beyond_all_bounds_stay_finite() -> None:
    row = [{"video_id": "a", "outcomes": {"click": sign * 3e38, "like": None}} for sign in (1, -1)]
    arrays = encoded(RECENT, Histories.from_values([row], RECENT.shape), FITTED)
    assert all(np.isfinite(array).all() for array in arrays.values())


def test_it_owns_no_table_and_what_depends_on_the_order_is_its_own() -> None:
    assert RECENT.tables(FITTED) == {}
    assert [(spec.name, spec.table, spec.part_of, spec.quantities) for spec in RECENT.specs] == [
        ("recent", "video_id", "recent", False),
        ("recent.outcomes", None, "recent", False),
        ("recent.summary", None, None, True),
    ]


@pytest.mark.parametrize("outcomes", [[], None])
def test_a_history_without_outcomes_is_refused(outcomes: list[str] | None) -> None:
    with pytest.raises(ValueError, match="outcomes"):
        feature(kind="history", name="recent", side="user", of="video_id", outcomes=outcomes)
