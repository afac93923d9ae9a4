"""The gain is reversed for errors, and its interval covers what it says it covers."""

import math

import numpy as np
import pytest

from training.comparison.gains import Measurements, gain, t_quantile
from training.comparison.measures import Figure


def measurements(values: list[float], replicates: list[list[float]]) -> Measurements:
    return Measurements(np.array(values), np.array(replicates))


@pytest.mark.parametrize(
    ("df", "known"), [(1, 12.706), (2, 4.303), (4, 2.776), (7, 2.365), (20, 2.086), (60, 2.000), (1e9, 1.960)]
)
def test_quantiles_are_those_of_the_books(df: float, known: float) -> None:
    assert t_quantile(1 / df) == pytest.approx(known, rel=0.005)


def test_above_zero_means_that_sharing_helps_whatever_the_metric() -> None:
    multi, single = (measurements([level, level + 0.1], [[level] * 3] * 2) for level in (0.8, 0.6))
    assert gain(multi, single, direction=1).value == pytest.approx(0.2)
    assert gain(multi, single, direction=-1).value == pytest.approx(-0.2)


@pytest.mark.parametrize(("of_seeds", "of_users"), [(0.1, 0.0), (0.0, 0.1), (0.05, 0.05), (0.1, 0.02)])
def test_nineteen_intervals_of_twenty_cover_the_true_gain(of_seeds: float, of_users: float) -> None:
    """Each world draws its users once for all seeds, and each seed its own training; arms are paired in both."""
    random, num_seeds, num_worlds, true = np.random.default_rng(0), 4, 1500, 0.3
    covered = 0
    for _ in range(num_worlds):
        common = random.normal(0, 1, num_seeds)  # what a seed does to both arms is not to count
        users = of_users * random.normal()
        multi = common + true + users + of_seeds * random.normal(size=num_seeds)
        drawn = of_users * random.normal(size=(1, 100)) + multi[:, None]
        single = Measurements(common, np.repeat(common[:, None], 100, 1))
        found = gain(Measurements(multi, drawn), single, direction=1)
        covered += found.low <= true <= found.high
    assert 0.92 < covered / num_worlds < 0.98


def test_a_metric_that_cannot_be_had_shows_no_difference() -> None:
    nothing = Measurements.of([Figure(value=None, replicates=(None, 0.5)), Figure(value=0.5, replicates=(None, None))])
    found = gain(nothing, nothing, direction=1)
    assert math.isnan(found.value) and not found.low > 0 and not found.high < 0
