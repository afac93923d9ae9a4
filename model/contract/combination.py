"""Predictions x weights -> score: pure functions, used by the service, by evaluation and by replay."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from model.contract.mistakes import InputError, Mistake, Strict, unknown_name
from model.contract.tasks import Task

LOWEST_FACTOR = 1e-6  # a product floors its inputs here, so that a single zero does not erase the other tasks
LARGEST_WEIGHT = 1e6
Array = NDArray[np.float64]


class Combination(StrEnum):
    WEIGHTED_SUM = "weighted_sum"
    WEIGHTED_PRODUCT = "weighted_product"


class Policy(Strict):
    """A named combination and its weights by task; weights may be negative, tasks left out weigh nothing."""

    combination: Combination
    weights: dict[str, float] = Field(min_length=1, max_length=1000)


@dataclass(frozen=True, slots=True)
class Rule:
    """A combination adds contributions, then turns their sum, in whose order candidates rank, into the score."""

    contribute: Callable[[Array, Array], Array]
    finish: Callable[[Array], Array]
    lowest_input: float


def _log_factors(predictions: Array, weights: Array) -> Array:
    return weights * np.log(np.maximum(predictions, LOWEST_FACTOR))


def _bounded_exp(total: Array) -> Array:
    return np.exp(np.clip(total, -700.0, 700.0))


RULES: dict[Combination, Rule] = {
    Combination.WEIGHTED_SUM: Rule(lambda predictions, weights: predictions * weights, np.asarray, -np.inf),
    # prod p^w (Zhao et al., RecSys 2019, section 4.4), in logarithms: no underflow, and a contribution per task.
    Combination.WEIGHTED_PRODUCT: Rule(_log_factors, _bounded_exp, 0.0),
}


@dataclass(frozen=True, slots=True)
class Scored:
    """`order_by` `[candidate]` ranks (finite, ties by position), `score` `[candidate]` is shown."""

    order_by: Array
    score: Array
    contributions: Array


def check_policy(policy: Policy, tasks: Sequence[Task], where: str) -> None:
    """Raise InputError for unknown tasks, weights out of range, and products of what may be negative."""
    known = {task.name: task for task in tasks}
    wrong: list[Mistake] = []
    for name, weight in policy.weights.items():
        at = f"{where}.weights.{name}"
        if name not in known:
            wrong.append(unknown_name(at, "a task", name, known))
        elif abs(weight) > LARGEST_WEIGHT:
            wrong.append(Mistake(at, f"a weight between -{LARGEST_WEIGHT:g} and {LARGEST_WEIGHT:g}", f"{weight:g}"))
        elif known[name].bounds[0] < RULES[policy.combination].lowest_input:
            expected = f"a task with positive predictions, which a {policy.combination} needs (give it a `range`)"
            wrong.append(Mistake(at, expected, f"predictions from {known[name].bounds[0]:g} up"))
    if wrong:
        raise InputError(*wrong)


def combine(predictions: Mapping[str, Array], policy: Policy) -> Scored:
    """Each prediction `[candidate]`, calibrated, in its task's unit. Non-finite sums sink to the bottom."""
    rule = RULES[policy.combination]
    weights = np.array(list(policy.weights.values()), dtype=np.float64)
    stacked = np.array([predictions[name] for name in policy.weights], dtype=np.float64).T
    with np.errstate(invalid="ignore"):  # what is not finite is seen to below
        contributions = rule.contribute(stacked, weights)
        total = contributions.sum(axis=1)
    return Scored(np.where(np.isfinite(total), total, -np.inf), rule.finish(total), contributions)


def top(order_by: Array, num: int) -> NDArray[np.intp]:
    """Indices of the `num` best, best first; equal ones keep the order in which they came."""
    if num >= len(order_by):
        return np.argsort(-order_by, kind="stable")
    # Partial sort, ties at the edge resolved towards the front.
    edge = np.partition(order_by, len(order_by) - num)[len(order_by) - num]
    above, equal = np.flatnonzero(order_by > edge), np.flatnonzero(order_by == edge)
    best = np.sort(np.concatenate([above, equal[: num - len(above)]]))
    return best[np.argsort(-order_by[best], kind="stable")]
