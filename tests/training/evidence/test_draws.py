"""Draws: whole users are drawn, about as often as in the ordinary bootstrap, and intervals hold what they should."""

import math

import numpy as np
import pytest

from training.evidence.draws import MOST_CLUSTERS, Draws


def test_totals_are_sums_over_rows_of_the_weights_of_their_users() -> None:
    random = np.random.default_rng(0)
    users, values = random.integers(0, 7, 50), random.normal(size=50)
    part = random.integers(0, 3, 50)
    draws = Draws.of(users, num_draws=20)
    rows = np.concatenate(list(draws.blocks()))
    assert rows.shape == (20, 50)
    for user in range(7):
        assert (rows[:, users == user] == rows[:, users == user][:, :1]).all()  # all rows of a user, or none
    assert draws.totals(values) == pytest.approx(rows @ values)
    by_part = draws.totals_by(values, part, 4)
    assert pytest.approx(np.array([rows[:, part == one] @ values[part == one] for one in range(3)])) == by_part[:, :3].T
    assert not by_part[:, 3].any()


def test_draws_of_some_rows_are_the_same_draws() -> None:
    users = np.arange(30) % 10
    draws = Draws.of(users)
    chosen = np.flatnonzero(users < 4)
    assert (np.concatenate(list(draws.at(chosen).blocks())) == np.concatenate(list(draws.blocks()))[:, chosen]).all()


def test_weights_are_those_of_a_bootstrap() -> None:
    weights = Draws.of(np.arange(2000)).weights
    assert weights.mean() == pytest.approx(1, abs=0.01)
    assert weights.var() == pytest.approx(1, abs=0.01)


def test_very_many_users_are_drawn_in_groups() -> None:
    draws = Draws.of(np.arange(3 * MOST_CLUSTERS) // 2, num_draws=2)
    assert draws.weights.shape == (2, MOST_CLUSTERS)
    assert (np.bincount(draws.user, minlength=MOST_CLUSTERS) > 0).all()


def test_an_interval_of_clustered_rows_covers_the_truth() -> None:
    """Ten rows a user that say almost the same: intervals of independent rows would be three times shorter."""
    random = np.random.default_rng(3)
    covered, runs = 0, 120
    for _ in range(runs):
        values = np.repeat(random.normal(size=60), 10) + 0.1 * random.normal(size=600)
        draws = Draws.of(np.repeat(np.arange(60), 10))
        replicates = draws.totals(values) / draws.totals(np.ones(600))
        found = draws.interval(float(values.mean()), replicates, -math.inf, math.inf)
        covered += found.low <= 0 <= found.high
    assert 0.88 <= covered / runs <= 0.99


def test_an_interval_holds_its_figure_and_stays_within_bounds() -> None:
    draws = Draws.of(np.arange(10))
    inflated = np.linspace(0.004, 0.009, 300)  # as resampling inflates an ECE
    found = draws.interval(0.001, inflated, 0.0, 1.0)
    assert 0 <= found.low <= 0.001 <= found.high < 0.006
    unknown = draws.interval(0.5, np.full(300, np.nan), 0.0, 1.0)
    assert unknown.value == 0.5 and math.isnan(unknown.low) and math.isnan(unknown.high)
