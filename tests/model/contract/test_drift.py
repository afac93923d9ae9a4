"""Drift: bins, and the population stability index over them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.contract.drift import Codes, Intervals, in_words, is_watched, psi, quantities
from tests.model.builders import full_schema


def test_psi_by_hand() -> None:
    """(.1-.2) ln(.1/.2) + (.6-.5) ln(.6/.5) + (.3-.3) ln 1 = .0693 + .0182"""
    expected, observed = np.array([20.0, 50, 30]), np.array([0.1, 0.6, 0.3])
    assert psi(expected, observed) == pytest.approx(0.1 * math.log(2) + 0.1 * math.log(1.2))


def test_an_empty_bin_counts_as_a_small_share() -> None:
    found = psi(np.array([0.5, 0.5]), np.array([1.0, 0.0]))
    assert found == pytest.approx(0.5 * math.log(2) + (1e-4 - 0.5) * math.log(1e-4 / 0.5))


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=12), st.integers(2, 9))
def test_psi_is_zero_of_the_same_and_symmetric(counts: list[int], times: int) -> None:
    shares, turned = np.array(counts, dtype=np.float64), np.array(counts[::-1], dtype=np.float64)
    assert psi(shares, shares * times) == pytest.approx(0, abs=1e-12)
    assert psi(shares, turned) == pytest.approx(psi(turned, shares)) and psi(shares, turned) >= 0


def test_samples_of_one_distribution_are_stable_and_of_another_are_not() -> None:
    random = np.random.default_rng(0)
    reference = Intervals.fit(random.normal(size=50_000))
    same = reference.count(random.normal(size=50_000))
    moved = reference.count(random.normal(1.0, size=50_000))
    shares = np.array(reference.shares)
    assert psi(shares, same.astype(float)) < 0.002 and in_words(psi(shares, same.astype(float))) == "stable"
    assert psi(shares, moved.astype(float)) > 0.7 and in_words(psi(shares, moved.astype(float))) == "large"


def test_intervals_hold_their_upper_edge_and_what_is_no_number() -> None:
    deciles = Intervals.fit(np.arange(1.0, 11))
    assert len(deciles.edges) == 9 and sum(deciles.shares) == pytest.approx(1) and deciles.shares[-1] == 0
    few = Intervals(edges=(1.0, 2.0))
    assert few.count(np.array([0.5, 1.0, 1.5, 2.0, 3.0, np.inf, np.nan])).tolist() == [2, 2, 2, 1]
    assert Intervals.fit(np.full(7, 3.0)).shares == (1.0, 0.0, 0.0)
    assert Intervals.fit(np.full(7, np.nan)).shares == (0.0, 1.0)


def test_codes_know_the_missing_the_unknown_the_frequent_and_the_rest() -> None:
    values = np.concatenate([np.repeat(np.arange(2, 22), np.arange(20, 0, -1)), [0, 0, 1]])
    codes = Codes.fit(values)
    assert codes.codes == tuple(range(2, 18)) and codes.num_bins == 19
    assert codes.count(np.array([0, 1, 1, 2, 17, 18, 99])).tolist() == [1, 2, 1, *[0] * 14, 1, 2]
    assert codes.shares == pytest.approx(codes.count(values) / len(values))


def test_what_is_watched() -> None:
    schema = full_schema()
    watched = [name for name, spec in schema.specs.items() if is_watched(spec, schema)]
    assert {"video_id", "author", "tags", "duration_s", "watching", "device", "age", "recent.summary"} <= set(watched)
    unwatched = {"position", "title", "duration_s.bin", "recent", "recent.outcomes", "same_author"}
    assert not unwatched & set(watched)
    table = np.arange(6.0).reshape(3, 2)
    assert [name for name, _ in quantities(schema.specs["duration_s"], table)] == ["duration_s", "duration_s[1]"]
    [(name, values)] = quantities(schema.specs["tags"], table)
    assert (name, values.tolist()) == ("tags", [0, 1, 2, 3, 4, 5])
