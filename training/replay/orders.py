"""Orders: what each policy puts first in logged requests, beside what stood there; what its first places promise."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from model.contract.combination import Policy
from training.evidence.draws import Draws, Interval
from training.replay.lists import Array
from training.replay.scene import Scene

UNBOUNDED = (float("-inf"), float("inf"))


@dataclass(frozen=True, slots=True)
class Order:
    """One policy's order, held against the reference. `values` by task are the mean calibrated prediction of its first
    k places, in the task's unit, `changes` their difference to the reference's; `overlap` is the share of its first k
    candidates that are among the reference's first k, `rank_correlation` Spearman's over the whole list.

    Means over requests, with 95% intervals from resampling users.
    """

    values: dict[str, Interval]
    changes: dict[str, Interval]
    overlap: Interval
    rank_correlation: Interval


def compare_orders(
    scene: Scene, reference: Array, policies: Mapping[str, Policy]
) -> tuple[dict[str, Interval], dict[str, Order]]:
    """`values` of the reference, which is `[row]`, best largest; and each policy's order by name."""
    draws = Draws.of(scene.lists.users)
    reference_top = scene.lists.top(reference, scene.top_k)
    before = scene.means(reference_top)
    orders = {}
    for name, policy in policies.items():
        order_by = scene.order_by(policy)
        top = scene.lists.top(order_by, scene.top_k)
        after = scene.means(top)
        orders[name] = Order(
            values={task: mean_of(draws, values) for task, values in after.items()},
            changes={task: mean_of(draws, values - before[task]) for task, values in after.items()},
            overlap=mean_of(draws, scene.lists.overlap(top, reference_top)),
            rank_correlation=mean_of(draws, scene.lists.rank_correlation(order_by, reference)),
        )
    return {task: mean_of(draws, values) for task, values in before.items()}, orders


def mean_of(draws: Draws, values: Array) -> Interval:
    """The mean of `values` `[list]`, lists without one (NaN) left out; `draws` are of lists."""
    there = np.isfinite(values)
    sums, counts = np.where(there, values, 0.0), there.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):  # a draw may hold none of them
        return draws.interval(sums.sum() / counts.sum(), draws.totals(sums) / draws.totals(counts), *UNBOUNDED)
