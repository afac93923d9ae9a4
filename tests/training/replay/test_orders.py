"""Orders held against a reference: what is alike, what is turned around, what the first places promise."""

import numpy as np
import pytest

from model.contract.combination import Combination, Policy
from tests.training.replay.scenes import scene
from training.evidence.draws import Draws
from training.replay.orders import compare_orders, mean_of

RANDOM = np.random.default_rng(0)
CLICK, LIKE = RANDOM.random((2, 400, 6))


def policy(**weights: float) -> Policy:
    return Policy(combination=Combination.WEIGHTED_SUM, weights=weights)


def test_the_reference_order_itself_differs_in_nothing_and_its_reverse_in_all() -> None:
    one = scene({"click": CLICK, "like": LIKE}, top_k=3)
    _, orders = compare_orders(one, CLICK.ravel(), {"same": policy(click=2), "reverse": policy(click=-1)})
    same, reverse = orders["same"], orders["reverse"]
    assert (same.overlap.value, same.rank_correlation.value, same.changes["like"].value) == (1, pytest.approx(1), 0)
    assert (reverse.overlap.value, reverse.rank_correlation.value) == (0, pytest.approx(-1))
    assert reverse.changes["click"].high < 0


def test_values_are_the_mean_predictions_of_the_first_places() -> None:
    one = scene({"click": CLICK, "like": LIKE}, top_k=2)
    before, orders = compare_orders(one, -np.tile(np.arange(6.0), 400), {"likes": policy(like=1)})
    best = np.argsort(-LIKE, axis=1)[:, :2]
    assert before["click"].value == pytest.approx(CLICK[:, :2].mean())
    assert orders["likes"].values["like"].value == pytest.approx(np.take_along_axis(LIKE, best, 1).mean())
    assert orders["likes"].values["click"].value == pytest.approx(np.take_along_axis(CLICK, best, 1).mean())
    change = orders["likes"].changes["click"]
    assert change.value == pytest.approx(orders["likes"].values["click"].value - before["click"].value)
    assert change.low < change.value < change.high


def test_requests_of_one_user_make_intervals_as_wide_as_users_do() -> None:
    """A user's requests are alike here: 400 of them tell no more than 40 users."""
    of_user = RANDOM.random(40)
    values = np.repeat(of_user, 10)
    together = mean_of(Draws.of(np.repeat(np.arange(40), 10)), values)
    apart = mean_of(Draws.of(np.arange(400)), values)
    standard_error = of_user.std() / np.sqrt(40)
    assert together.high - together.low == pytest.approx(2 * 1.96 * standard_error, rel=0.15)
    assert apart.high - apart.low < 0.5 * (together.high - together.low)
