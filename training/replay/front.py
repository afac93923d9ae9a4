"""Front: a sweep over policies' weights, and which of them nothing else beats in every task at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model.contract.combination import RULES, Combination, Policy
from model.contract.tasks import Task
from training.replay.lists import Array, Bools, Ints
from training.replay.scene import Scene

NUM_SWEPT = 250  # for each combination, beside each task alone
CONCENTRATION = 0.5  # of the Dirichlet distribution: many weights near 0, so that the corners are met
MOST_ROWS = 50_000  # that a sweep looks at


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a policy stands: its `values` `[task]`, and which swept policies are at least as good in every task and
    better in one, the one with the greatest least gain first.
    """

    values: Array
    dominated_by: Ints


@dataclass(frozen=True, slots=True)
class Front:
    """`values` `[swept, task]` are mean calibrated predictions of the first k places of `num_lists` requests;
    `on_front` `[swept]` are those that no other swept policy dominates. `reference` `[task]` is where the order stands
    that others are held against.
    """

    tasks: tuple[str, ...]
    num_lists: int
    swept: list[Policy]
    values: Array
    on_front: Bools
    standings: dict[str, Standing]
    reference: Array


def find_front(
    scene: Scene, reference: Array, policies: Mapping[str, Policy], signs: Array, progress: Callable[[int, int], None]
) -> Front:
    """`reference` is `[row]`, best largest; `progress` gets how many policies were tried, of how many."""
    scene = scene.first(max(1, int(np.searchsorted(np.cumsum(scene.lists.sizes), MOST_ROWS, side="right"))))
    swept = sweep(scene, signs)

    def values_of(order_by: Array) -> Array:
        top = scene.lists.top(order_by, scene.top_k)
        return np.array([values.mean() for values in scene.means(top).values()])

    found = []
    for at, policy in enumerate(swept, 1):
        found.append(values_of(scene.order_by(policy)))
        progress(at, len(swept))
    values = np.stack(found)
    on_front = np.array([not len(dominating(values * signs, one)) for one in values * signs])
    configured = {name: values_of(scene.order_by(policy)) for name, policy in policies.items()}
    standings = {name: Standing(own, dominating(values * signs, own * signs)) for name, own in configured.items()}
    names = tuple(task.name for task in scene.tasks)
    today = values_of(reference[: len(scene.lists.rows)])
    return Front(names, scene.lists.num_lists, swept, values, on_front, standings, today)


def signs_of(tasks: Sequence[Task], policies: Sequence[Policy]) -> Array:
    """`[task]`: -1 for a task that policies weigh negatively and never positively (a dismissal), else 1."""
    weights = [[policy.weights.get(task.name, 0.0) for policy in policies] for task in tasks]
    return np.array([-1.0 if min(some) < 0 and max(some) <= 0 else 1.0 for some in weights])


def sweep(scene: Scene, signs: Array) -> list[Policy]:
    """Policies of every combination: each task alone, and weights drawn from the simplex.

    A weight is drawn for what a task contributes in units of its own spread, so that seconds do not drown likes.
    """
    random, tasks = np.random.default_rng(0), scene.tasks
    policies = []
    for combination, rule in RULES.items():
        some = [at for at, task in enumerate(tasks) if task.bounds[0] >= rule.lowest_input]
        if not some:
            continue
        one = np.ones(1)
        spreads = np.array([rule.contribute(scene.predictions[tasks[at].name], one).std() for at in some])
        drawn = random.dirichlet(np.full(len(some), CONCENTRATION), NUM_SWEPT)
        weights = np.concatenate([np.eye(len(some)), drawn]) * signs[some] / np.where(spreads > 0, spreads, 1.0)
        policies += [_policy(combination, [tasks[at].name for at in some], row) for row in weights]
    return policies


def _policy(combination: Combination, tasks: Sequence[str], weights: Array) -> Policy:
    """Three digits are enough, and can be read; the largest weight becomes 1."""
    rounded = {
        task: float(f"{weight:.3g}") for task, weight in zip(tasks, weights / np.abs(weights).max(), strict=True)
    }
    return Policy(combination=combination, weights={task: weight for task, weight in rounded.items() if weight})


def dominating(values: Array, one: Array) -> Ints:
    """Which of `values` `[policy, task]`, where more is better, are at least `one` `[task]` everywhere and above it
    somewhere; the greatest least relative gain first.
    """
    gains = values - one
    better = np.flatnonzero((gains >= 0).all(axis=1) & (gains > 0).any(axis=1))
    least = (gains[better] / np.maximum(np.abs(one), 1e-12)).min(axis=1)
    return better[np.argsort(-least, kind="stable")]
