"""Off-policy estimates: what a policy would have brought, from what did happen where the log agrees with it.

The estimand, for a task and a policy, is the mean outcome of a place among the first k: what would have been logged
had the policy put the same candidates of the same requests in order. It assumes the item-position model (Li et al., KDD
2018; their clipping of weights is left out): the outcome of a candidate depends on the request, on itself and on its
place, not on what stands at the other places. With propensities p, outcomes r and w = [the policy puts there what stood
there] / p,

    IPS     mean of w r                                (Horvitz & Thompson; unbiased, the widest)
    SNIPS   sum of w r / sum of w, at each place       (Swaminathan & Joachims, NIPS 2015; a little biased, narrower)
    DR      mean of q(policy's) + w (r - q(logged))    (Dudik et al., ICML 2011; unbiased whatever q is)

with q the calibrated prediction, times how much of it is seen at that place: the ratio of outcomes to predictions
there. That ratio, one number a place, is taken from the same requests: a bias of the order of 1 / requests.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from model.contract.combination import Policy
from training.evidence.draws import Draws, Interval
from training.replay.lists import Array, Ints
from training.replay.orders import UNBOUNDED, mean_of
from training.replay.scene import Scene

FARTHEST = 4.0  # deviations of the mean weight from 1


@dataclass(frozen=True, slots=True)
class Estimates:
    """`values[estimator][task]`, of the estimators `ips`, `snips` and `dr`. `num_agreeing` counts the places where the
    log agrees with the policy, `effective_size` is how many equally weighted ones they are worth: (sum w)^2 / sum w^2.

    The mean weight must be 1. `doubt` says why the values are not to be believed, or why there are none.
    """

    num_agreeing: int
    effective_size: float
    mean_weight: Interval | None
    values: dict[str, dict[str, Interval]]
    doubt: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Requests at their first k logged places: `shown` `[list, place]` are rows of the scene, `outcomes` by task and
    `propensities`, which only `estimate` needs, are `[list, place]`.
    """

    scene: Scene
    shown: Ints
    propensities: Array
    outcomes: Mapping[str, Array]

    def as_logged(self) -> dict[str, Interval]:
        """What did happen at these places, in the order in which the candidates were shown."""
        draws = Draws.of(self.scene.lists.users)
        return {task: mean_of(draws, outcome.mean(axis=1)) for task, outcome in self.outcomes.items()}

    def estimate(self, policy: Policy) -> Estimates:
        chosen = self.scene.top(policy)
        agrees = chosen == self.shown
        num_agreeing = int(agrees.sum())
        if not agrees.any(axis=0).all():
            place = int(np.argmin(agrees.any(axis=0))) + 1
            doubt = f"no overlap: at place {place} no logged request has what this policy puts there"
            return Estimates(num_agreeing, 0.0, None, {}, doubt)
        draws = Draws.of(self.scene.lists.users)
        weights = agrees / self.propensities
        values = {
            "ips": {task: mean_of(draws, (weights * found).mean(axis=1)) for task, found in self.outcomes.items()},
            "snips": {task: _self_normalised(draws, weights, found) for task, found in self.outcomes.items()},
            "dr": {task: mean_of(draws, self._doubly_robust(task, chosen, weights)) for task in self.outcomes},
        }
        effective_size = float(weights.sum() ** 2 / (weights**2).sum())
        mean_weight = mean_of(draws, weights.mean(axis=1))
        return Estimates(num_agreeing, effective_size, mean_weight, values, _doubt(mean_weight))

    def _doubly_robust(self, task: str, chosen: Ints, weights: Array) -> Array:
        """`[list]`."""
        outcome, prediction = self.outcomes[task], self.scene.predictions[task]
        shown = prediction[self.shown]
        total = shown.sum(axis=0)
        seen = np.divide(outcome.sum(axis=0), total, out=np.ones_like(total), where=total > 0)
        return (seen * prediction[chosen] + weights * (outcome - seen * shown)).mean(axis=1)


@dataclass(frozen=True, slots=True)
class OffPolicy:
    """Of `num_requests` requests with propensities: what did happen in them, and each policy's estimates by name.
    `today` is what did happen in all replayed requests, with propensities or without.
    """

    num_requests: int
    today: dict[str, Interval]
    as_logged: dict[str, Interval]
    estimates: dict[str, Estimates]


def estimate_policies(evidence: Evidence, policies: Mapping[str, Policy], today: dict[str, Interval]) -> OffPolicy:
    estimates = {name: evidence.estimate(policy) for name, policy in policies.items()}
    return OffPolicy(evidence.scene.lists.num_lists, today, evidence.as_logged(), estimates)


def _self_normalised(draws: Draws, weights: Array, outcome: Array) -> Interval:
    """The mean over places of the weighted mean of each."""
    places = range(weights.shape[1])
    worth = weights * outcome
    found = worth.sum(axis=0) / weights.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):  # a draw may have no agreement at some place
        drawn = [draws.totals(worth[:, place]) / draws.totals(weights[:, place]) for place in places]
    return draws.interval(float(found.mean()), np.mean(drawn, axis=0), *UNBOUNDED)


def _doubt(mean_weight: Interval) -> str | None:
    deviation = (mean_weight.high - mean_weight.low) / (2 * 1.96)
    if abs(mean_weight.value - 1) <= FARTHEST * deviation:
        return None
    why = "the propensities are wrong, or the log never shows some of what this policy would"
    return f"not to be believed, for weights are {mean_weight.value:.3f} on average, not 1: {why}"
