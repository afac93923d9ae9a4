"""Predictions x weights: the naive formulas, an order that nothing odd can upset, and policies that make sense."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from model.contract.combination import (
    LARGEST_WEIGHT,
    LOWEST_FACTOR,
    Array,
    Combination,
    Policy,
    check_policy,
    combine,
    top,
)
from model.contract.mistakes import InputError
from model.contract.tasks import Task
from tests.model.builders import TASKS

TASK_NAMES = ["a", "b", "c"]
sizes = st.shared(st.integers(1, 12), key="candidates")
weights = st.fixed_dictionaries({name: st.floats(-4, 4) for name in TASK_NAMES})
combinations = st.sampled_from(Combination)


def columns(low: float, high: float) -> st.SearchStrategy[dict[str, Array]]:
    one = hnp.arrays(np.float64, sizes, elements=st.floats(low, high))
    return st.fixed_dictionaries(dict.fromkeys(TASK_NAMES, one))


def policy(kind: str, **given_weights: float) -> Policy:
    return Policy(combination=Combination(kind), weights=given_weights)


@given(columns(-5, 5), weights)
def test_a_sum_is_the_naive_formula(predictions: dict[str, Array], given_weights: dict[str, float]) -> None:
    scored = combine(predictions, policy("weighted_sum", **given_weights))
    for at, found in enumerate(scored.score):
        terms = [weight * predictions[name][at] for name, weight in given_weights.items()]
        assert found == pytest.approx(math.fsum(terms), abs=1e-9)
        assert scored.contributions[at].tolist() == pytest.approx(terms)


@given(columns(0, 5), weights)
def test_a_product_is_the_naive_formula_with_a_floor(
    predictions: dict[str, Array], given_weights: dict[str, float]
) -> None:
    scored = combine(predictions, policy("weighted_product", **given_weights))
    for at, found in enumerate(scored.score):
        factors = [max(predictions[name][at], LOWEST_FACTOR) ** weight for name, weight in given_weights.items()]
        assert found == pytest.approx(math.prod(factors), rel=1e-9)
        assert np.exp(scored.contributions[at]).tolist() == pytest.approx(factors)


@given(combinations, columns(0, 5), weights)
def test_score_and_order_agree(kind: str, predictions: dict[str, Array], given_weights: dict[str, float]) -> None:
    scored = combine(predictions, policy(kind, **given_weights))
    rising = np.argsort(scored.order_by, kind="stable")
    assert (np.diff(scored.score[rising]) >= -1e-12).all()


@given(combinations, columns(0, 5), weights, st.integers(-20, 15))
def test_scaling_all_weights_changes_no_order(
    kind: str, predictions: dict[str, Array], given_weights: dict[str, float], exponent: int
) -> None:
    scaled = {name: weight * 2.0**exponent for name, weight in given_weights.items()}  # exact: ties stay ties
    order = [top(combine(predictions, policy(kind, **one)).order_by, 12).tolist() for one in (given_weights, scaled)]
    assert order[0] == order[1]


@pytest.mark.parametrize("kind", Combination)
def test_a_negative_weight_lowers_a_candidate(kind: str) -> None:
    predictions = {"click": np.array([0.5, 0.5]), "skip": np.array([0.1, 0.9])}
    scored = combine(predictions, policy(kind, click=1.0, skip=-1.0))
    assert top(scored.order_by, 2).tolist() == [0, 1]
    assert scored.score[0] > scored.score[1]


def test_a_zero_does_not_erase_the_other_factors() -> None:
    predictions = {"click": np.array([0.0, 0.0]), "like": np.array([0.1, 0.9])}
    assert top(combine(predictions, policy("weighted_product", click=1, like=1)).order_by, 2).tolist() == [1, 0]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", Combination)
@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("weight", [1.0, -1.0, 0.0])
def test_what_is_not_finite_sinks_to_the_bottom(kind: str, odd: float, weight: float) -> None:
    predictions = {"a": np.array([0.1, odd, 0.2]), "b": np.array([0.5, 0.9, 0.5])}
    scored = combine(predictions, policy(kind, a=weight, b=1.0))
    total = scored.contributions[1].sum()
    assert np.isfinite(scored.order_by).tolist() == [True, bool(np.isfinite(total)), True]
    if not np.isfinite(total):
        assert top(scored.order_by, 3)[-1] == 1


def test_a_product_of_extremes_stays_finite() -> None:
    predictions = {"a": np.array([1e30, 0.0])}
    for weight in (LARGEST_WEIGHT, -LARGEST_WEIGHT):
        scored = combine(predictions, policy("weighted_product", a=weight))
        assert np.isfinite(scored.score).all()
        assert np.isfinite(scored.order_by).all()


few_values = st.sampled_from([-math.inf, -1.0, 0.0, -0.0, 0.5, 2.0])


@given(
    hnp.arrays(np.float64, st.integers(1, 40), elements=few_values | st.floats(allow_nan=False, allow_infinity=False)),
    st.integers(1, 50),
)
def test_top_is_a_stable_sort_from_the_best(order_by: Array, num: int) -> None:
    expected = sorted(range(len(order_by)), key=lambda at: -order_by[at])[:num]
    assert top(order_by, num).tolist() == expected


@pytest.mark.parametrize(
    ("given_policy", "place", "told"),
    [
        (policy("weighted_sum", clik=1), "clik", "did you mean `click`"),
        (policy("weighted_sum", click=1.1 * LARGEST_WEIGHT), "click", "between -1e+06 and 1e+06, found 1.1e+06"),
        (policy("weighted_sum", click=-1.1 * LARGEST_WEIGHT), "click", "found -1.1e+06"),
        (policy("weighted_product", change=1), "change", "positive predictions"),
        (policy("weighted_product", shift=1), "shift", "found predictions from -1 up"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(given_policy: Policy, place: str, told: str) -> None:
    tasks = [
        *TASKS,
        Task(name="change", group="g", kind="regression", label="l"),
        Task(name="shift", group="g", kind="regression", label="l", range=(-1, 1)),
    ]
    with pytest.raises(InputError) as caught:
        check_policy(given_policy, tasks, "policies.mine")
    assert caught.value.mistakes[0].where == f"policies.mine.weights.{place}"
    assert told in str(caught.value)


def test_all_mistakes_of_a_policy_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        check_policy(policy("weighted_sum", clik=1, lik=1, click=1e9), TASKS, "policy")
    assert len(caught.value.mistakes) == 3


@pytest.mark.parametrize("kind", Combination)
def test_tasks_that_are_never_negative_may_be_multiplied(kind: str) -> None:
    check_policy(policy(kind, click=LARGEST_WEIGHT, watch_time=-1, like=0, rating=2), TASKS, "policy")


@pytest.mark.parametrize("wrong", [{"weights": {}}, {"weights": {"click": math.nan}}, {"weights": {"click": math.inf}}])
def test_weights_are_finite_and_some(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Policy.model_validate({"combination": "weighted_sum"} | wrong)
