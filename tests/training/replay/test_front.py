"""The Pareto front against a plain comparison of all with all."""

import numpy as np
import pytest

from model.contract.combination import Combination, Policy, check_policy
from model.contract.tasks import Task
from tests.training.replay.scenes import scene, task
from training.replay.front import dominating, find_front, signs_of, sweep

RANDOM = np.random.default_rng(0)
CLICK, LIKE = RANDOM.random((2, 300, 8))
WASTE = 1 - CLICK * RANDOM.random((300, 8))


def policy(combination: Combination = Combination.WEIGHTED_SUM, **weights: float) -> Policy:
    return Policy(combination=combination, weights=weights)


def test_dominating_is_at_least_as_good_everywhere_and_better_somewhere_the_clearest_first() -> None:
    values = np.array([[1.0, 1.0], [2.0, 1.0], [3.0, 0.5], [2.0, 2.0], [1.5, 1.5]])
    assert dominating(values, np.array([1.0, 1.0])).tolist() == [3, 4, 1]
    assert dominating(values, np.array([2.0, 2.0])).tolist() == []


def test_the_front_is_what_nothing_swept_dominates_and_a_bad_policy_is_told_who_does() -> None:
    tasks = {"click": CLICK, "like": LIKE}
    policies = {"clicks": policy(click=1), "worst": policy(click=-1, like=-1)}
    seen: list[tuple[int, int]] = []
    reference = np.zeros(CLICK.size)
    front = find_front(scene(tasks, 3), reference, policies, np.ones(2), lambda done, total: seen.append((done, total)))
    values = front.values
    for at, one in enumerate(values):
        beaten = any((other >= one).all() and (other > one).any() for other in values)
        assert front.on_front[at] == (not beaten)
    assert front.on_front.any() and not front.on_front.all()
    assert not len(front.standings["clicks"].dominated_by)  # nothing has more clicks
    assert len(front.standings["worst"].dominated_by) > 0.9 * len(front.swept)
    assert seen[-1] == (len(front.swept), len(front.swept))
    assert front.reference == pytest.approx([CLICK[:, :3].mean(), LIKE[:, :3].mean()])


def test_more_of_what_policies_weigh_negatively_is_worse() -> None:
    tasks = [task("click"), task("waste")]
    assert signs_of(tasks, [policy(click=1, waste=-2), policy(click=1)]).tolist() == [1, -1]
    assert signs_of(tasks, [policy(waste=-2), policy(waste=1)]).tolist() == [1, 1]
    one = scene({"click": CLICK, "waste": WASTE}, 3)
    front = find_front(one, np.zeros(CLICK.size), {}, np.array([1.0, -1.0]), lambda *_: None)
    assert all(swept.weights.get("waste", 0) <= 0 for swept in front.swept)
    least = front.values[:, 1].argmin()
    assert front.on_front[least]


def test_every_swept_policy_could_be_served_and_each_task_is_tried_alone() -> None:
    free = Task.model_validate({"name": "mood", "group": "any", "kind": "regression", "label": "mood"})
    one = scene({"click": CLICK, "like": LIKE, "mood": CLICK - 0.5}, 3)
    one = type(one)(one.lists, (*one.tasks[:2], free), one.predictions, one.top_k)
    swept = sweep(one, np.ones(3))
    for found in swept:
        check_policy(found, one.tasks, "swept")  # what may be negative is never in a product
    assert {found.combination for found in swept} == set(Combination)
    alone = [next(iter(found.weights)) for found in swept if len(found.weights) == 1]
    assert {"click", "like", "mood"} <= set(alone)


def test_a_task_of_large_numbers_does_not_drown_the_others() -> None:
    one = scene({"click": CLICK, "like": LIKE}, 3)
    large = scene({"click": CLICK, "like": 1000 * LIKE}, 3)
    for plain, scaled in zip(sweep(one, np.ones(2)), sweep(large, np.ones(2)), strict=True):
        assert np.corrcoef(one.order_by(plain), large.order_by(scaled))[0, 1] > 0.999
