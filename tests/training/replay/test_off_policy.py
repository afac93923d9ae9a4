"""Off-policy estimates against the truth: in a log of a known stochastic policy, and in the simulated one."""

from collections.abc import Iterator
from itertools import permutations

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from model.contract.combination import Combination, Policy
from tests.training.replay.scenes import scene
from training.evidence.draws import Draws, Interval
from training.replay.off_policy import Evidence
from training.replay.orders import mean_of
from training.simulation.logs import simulate
from training.simulation.world import SimulationConfig

Array = NDArray[np.float64]
ESTIMATORS = ("ips", "snips", "dr")
BY_CLICK = Policy(combination=Combination.WEIGHTED_SUM, weights={"click": 1})
SEEN = np.array([1.0, 0.6, 0.4, 0.3])  # by place
ORDERS = np.array(list(permutations(range(4))))


class PlackettLuce:
    """Requests of four candidates, shown in an order drawn by Plackett-Luce from scores that like what is clicked."""

    def __init__(self, seed: int, num_requests: int = 1500, top_k: int = 2) -> None:
        random = np.random.default_rng(seed)
        of_request = random.normal(0, 1, (num_requests, 1))
        chance = 1 / (1 + np.exp(-(of_request + random.normal(-1, 1, (num_requests, 4)))))
        # The policy is sure of itself where clicks are likely: agreement with it says something of the request.
        scores = np.exp(1.5 * chance + of_request * random.normal(0, 0.4, (num_requests, 4)))
        order_chances = self._order_chances(scores)
        drawn = (order_chances.cumsum(1) < random.random((num_requests, 1))).sum(1).clip(max=len(ORDERS) - 1)
        shown = ORDERS[drawn]
        at_place = np.stack(
            [(order_chances * (ORDERS[:, place] == shown[:, place, None])).sum(1) for place in range(4)], 1
        )
        clicked = (random.random(chance.shape) < np.take_along_axis(chance, shown, 1) * SEEN).astype(float)
        predicted = 1 / (1 + np.exp(-(np.log(chance / (1 - chance)) + random.normal(0, 0.5, chance.shape))))
        one = scene({"click": predicted}, top_k)
        rows = shown[:, :top_k] + 4 * np.arange(num_requests)[:, None]
        self.evidence = Evidence(one, rows, at_place[:, :top_k], {"click": clicked[:, :top_k]})
        best = np.argsort(-predicted, axis=1)[:, :top_k]
        self.agrees = shown[:, :top_k] == best
        self.found = self.evidence.estimate(BY_CLICK)
        self.truth = float((np.take_along_axis(chance, best, 1) * SEEN[:top_k]).mean())

    @staticmethod
    def _order_chances(scores: Array) -> Array:
        """`[request, order]`."""
        in_order = scores[:, ORDERS]
        left = in_order[..., ::-1].cumsum(axis=-1)[..., ::-1]
        return (in_order / left).prod(axis=-1)


@pytest.fixture(scope="module")
def logs() -> list[PlackettLuce]:
    return [PlackettLuce(seed) for seed in range(60)]


def covers(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


def test_intervals_cover_the_truth_about_as_often_as_they_say(logs: list[PlackettLuce]) -> None:
    for estimator in ESTIMATORS:
        found = [covers(one.found.values[estimator]["click"], one.truth) for one in logs]
        assert 0.87 <= np.mean(found) <= 1.0, estimator


def test_estimates_are_right_on_average_and_naive_ones_are_not(logs: list[PlackettLuce]) -> None:
    truth = np.mean([one.truth for one in logs])
    for estimator in ESTIMATORS:
        values = [one.found.values[estimator]["click"].value for one in logs]
        assert np.mean(values) == pytest.approx(truth, rel=0.015), estimator
    as_logged = [one.evidence.as_logged()["click"] for one in logs]
    assert not any(covers(one, log.truth) for one, log in zip(as_logged, logs, strict=True))
    outcomes = [one.evidence.outcomes["click"] for one in logs]
    on_agreement = [clicks[log.agrees].mean() for clicks, log in zip(outcomes, logs, strict=True)]
    assert np.mean(on_agreement) > 1.05 * truth


def test_doubly_robust_varies_less_than_self_normalised_and_that_less_than_ips(logs: list[PlackettLuce]) -> None:
    errors = {name: np.std([one.found.values[name]["click"].value - one.truth for one in logs]) for name in ESTIMATORS}
    assert errors["dr"] < errors["snips"] < errors["ips"]


def test_wrong_propensities_are_doubted_and_right_ones_are_not(logs: list[PlackettLuce]) -> None:
    evidence, right = logs[0].evidence, logs[0].found
    assert right.doubt is None and right.mean_weight is not None and covers(right.mean_weight, 1.0)
    halved = Evidence(evidence.scene, evidence.shown, evidence.propensities / 2, evidence.outcomes)
    doubled = halved.estimate(BY_CLICK)
    assert doubled.doubt is not None and "not 1" in doubled.doubt
    assert doubled.values["snips"]["click"].value == pytest.approx(right.values["snips"]["click"].value)


def test_a_log_that_never_shows_what_the_policy_wants_is_doubted() -> None:
    """Always in the same order, with propensities of 1: it says nothing of another order."""
    random = np.random.default_rng(0)
    predicted = random.random((500, 3))
    one = scene({"click": predicted}, 1)
    shown = 3 * np.arange(500)[:, None]
    evidence = Evidence(one, shown, np.ones((500, 1)), {"click": (random.random((500, 1)) < 0.3).astype(float)})
    found = evidence.estimate(BY_CLICK)
    assert found.doubt is not None and found.num_agreeing < 250
    never = Evidence(
        scene({"click": np.tile([0.1, 0.2, 0.3], (500, 1))}, 1), shown, np.ones((500, 1)), evidence.outcomes
    )
    refused = never.estimate(BY_CLICK)
    assert refused.values == {} and refused.mean_weight is None and refused.effective_size == 0
    assert refused.doubt is not None and "no overlap: at place 1" in refused.doubt


def test_equal_weights_are_worth_their_number_and_unequal_ones_less(logs: list[PlackettLuce]) -> None:
    evidence, unequal = logs[0].evidence, logs[0].found
    assert unequal.effective_size < unequal.num_agreeing
    even = Evidence(evidence.scene, evidence.shown, np.full_like(evidence.propensities, 0.25), evidence.outcomes)
    found = even.estimate(BY_CLICK)
    assert found.effective_size == pytest.approx(found.num_agreeing)


NUM_CANDIDATES = 12
TRUTHS = {"click": "true_click", "watch_time_s": "expected_watch_time_s", "like": "true_like"}
POLICIES = {
    "clicks": BY_CLICK,
    "likes": Policy(combination=Combination.WEIGHTED_SUM, weights={"like": 1}),
    "product": Policy(combination=Combination.WEIGHTED_PRODUCT, weights={"click": 1, "watch_time_s": 0.7, "like": 1}),
}


def simulated(seed: int, top_k: int) -> tuple[Evidence, dict[str, dict[str, float]]]:
    """What a replay of a simulated log sees, with predictions as good as a ranker's; the truth by policy and task."""
    parts = list(simulate(SimulationConfig(num_impressions=240_000, seed=seed)).parts)
    table = pl.concat(part.impressions.hstack(part.truth.drop("impression_id", "request_id")) for part in parts)
    table = table.filter(pl.col("propensity").is_not_null())

    def column(name: str) -> Array:
        return table[name].to_numpy().astype(np.float64).reshape(-1, NUM_CANDIDATES)

    random = np.random.default_rng(seed)
    truths = {task: column(name) for task, name in TRUTHS.items()}
    predictions = {task: one * np.exp(random.normal(0, 0.4, one.shape)) for task, one in truths.items()}
    _, users = np.unique(table["user_id"].to_numpy()[::NUM_CANDIDATES], return_inverse=True)
    one = scene(predictions, top_k, users)
    shown = np.arange(table.height).reshape(-1, NUM_CANDIDATES)[:, :top_k]
    outcomes = {task: column(task)[:, :top_k] for task in TRUTHS}
    examined = column("examined_probability")[:, :top_k]
    true_values = {
        name: {task: float((values.ravel()[one.top(policy)] * examined).mean()) for task, values in truths.items()}
        for name, policy in POLICIES.items()
    }
    return Evidence(one, shown, column("propensity")[:, :top_k], outcomes), true_values


@pytest.fixture(scope="module", params=[1, 5])
def found(request: pytest.FixtureRequest) -> list[tuple[dict[str, Interval], Interval, float]]:
    """In simulated logs: the estimates of a policy and task, what was logged, and the truth."""
    return list(_found(request.param))


def _found(top_k: int) -> Iterator[tuple[dict[str, Interval], Interval, float]]:
    for seed in range(5):
        evidence, truth = simulated(seed, top_k)
        logged = evidence.as_logged()
        for name, policy in POLICIES.items():
            values = evidence.estimate(policy).values
            for task in TRUTHS:
                yield {estimator: values[estimator][task] for estimator in ESTIMATORS}, logged[task], truth[name][task]


def test_simulated_values_of_policies_are_covered_and_what_was_logged_is_not_them(
    found: list[tuple[dict[str, Interval], Interval, float]],
) -> None:
    for estimator in ESTIMATORS:
        assert np.mean([covers(values[estimator], truth) for values, _, truth in found]) >= 0.87, estimator
    assert np.mean([covers(logged, truth) for _, logged, truth in found]) < 0.1


def test_simulated_doubly_robust_intervals_are_narrower_than_ips(
    found: list[tuple[dict[str, Interval], Interval, float]],
) -> None:
    def width(one: Interval) -> float:
        return one.high - one.low

    ratios = [width(values["dr"]) / width(values["ips"]) for values, _, _ in found]
    assert np.mean(ratios) < 0.95
    assert np.mean(np.array(ratios) < 1) > 0.8


def test_the_mean_weight_of_a_simulated_log_is_one() -> None:
    evidence, _ = simulated(0, 5)
    draws = Draws.of(evidence.scene.lists.users)
    for policy in POLICIES.values():
        weights = (evidence.scene.top(policy) == evidence.shown) / evidence.propensities
        assert covers(mean_of(draws, weights.mean(1)), 1.0)
        assert evidence.estimate(policy).doubt is None
