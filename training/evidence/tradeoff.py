"""Trade-off: what the policies give to one group of tasks and to another, among many other weights."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.contract.combination import RULES, Combination, Policy, combine
from model.contract.tasks import Task
from training.evaluation import NDCG_AT, gains_of
from training.evidence.draws import Draws, Interval
from training.evidence.subject import Absent, Alarm, Scored, Subject
from training.metrics import discounted_gains

Array = NDArray[np.float64]
PRODUCT = Combination.WEIGHTED_PRODUCT
NUM_SWEPT = 120
CONCENTRATION = 0.5  # of the Dirichlet distribution that weights are drawn from: below 1 it visits the corners


@dataclass(frozen=True, slots=True)
class Orders:
    """NDCG@10 of some orders: `by_task[order][task]`, and `by_group[order][group]`, its mean over the group's tasks."""

    by_task: Mapping[str, Mapping[str, Interval]]
    by_group: Mapping[str, Mapping[str, Interval]]


@dataclass(frozen=True, slots=True)
class TradeOff:
    """`groups` in the order of the config; `swept` `[draw, group]` are weighted products of randomly drawn weights."""

    groups: tuple[str, ...]
    policies: Orders
    single: Orders
    swept: Array

    @property
    def alarms(self) -> Iterator[Alarm]:
        return iter(())


def measure(subject: Subject) -> TradeOff:
    judge = _Judge(subject.tasks, subject.test)
    if len(judge.groups) < 2:
        raise Absent("all tasks with a gain on test are of one group: there is nothing to trade")
    alone = {f"{name} alone": {name: 1.0} for name in judge.factors}
    random = np.random.default_rng(0)
    drawn = random.dirichlet([CONCENTRATION] * len(judge.factors), NUM_SWEPT if len(judge.factors) > 1 else 0)
    swept = [judge.group_means(_product(dict(zip(judge.factors, one, strict=True)))) for one in drawn.tolist()]
    return TradeOff(
        tuple(judge.groups),
        judge.orders(subject.run.config.policies),
        judge.orders({name: _product(weights) for name, weights in alone.items()}),
        np.array(swept).reshape(-1, len(judge.groups)),
    )


def _product(weights: dict[str, float]) -> Policy:
    return Policy(combination=PRODUCT, weights=weights)


class _Judge:
    """What an order of the test rows is worth to each task."""

    def __init__(self, tasks: tuple[Task, ...], scored: Scored) -> None:
        self.requests = scored.split.groups
        self.factors = [task.name for task in tasks if task.bounds[0] >= RULES[PRODUCT].lowest_input]
        self.predictions = {task.name: scored.predictions[:, at] for at, task in enumerate(tasks)}
        gains = {task: gains_of(task, at, scored.split) for at, task in enumerate(tasks)}
        self.tasks = [task for task, gain in gains.items() if gain.any()]
        self.groups = list(dict.fromkeys(task.group for task in self.tasks))
        self.gains = np.stack([gains[task] for task in self.tasks], 1)
        ideal = [discounted_gains(gain, gain, self.requests, NDCG_AT) for gain in self.gains.T]
        self.ideal = np.stack(ideal, 1)
        first = np.unique(self.requests, return_index=True)[1]
        self.draws: Draws = scored.draws.at(first)

    def quality(self, policy: Policy) -> tuple[Array, NDArray[np.bool_]]:
        """`[request, task]` NDCG, and whether the request has any gain; 0 where it has none."""
        order_by = combine(self.predictions, policy).order_by
        found = discounted_gains(order_by, self.gains, self.requests, NDCG_AT)
        known = self.ideal > 0
        return np.where(known, found, 0.0) / np.where(known, self.ideal, 1.0), known

    def group_means(self, policy: Policy) -> list[float]:
        quality, known = self.quality(policy)
        means = quality.sum(0) / known.sum(0)
        return [float(self._of_group(means, group)) for group in self.groups]

    def orders(self, policies: Mapping[str, Policy]) -> Orders:
        by_task: dict[str, dict[str, Interval]] = {}
        by_group: dict[str, dict[str, Interval]] = {}
        for name, policy in policies.items():
            quality, known = self.quality(policy)
            means, totals = quality.sum(0) / known.sum(0), self.draws.totals
            with np.errstate(invalid="ignore"):  # a draw may have no gain
                drawn = [totals(one) / totals(counts) for one, counts in zip(quality.T, known.T * 1.0, strict=True)]
            replicates = np.stack(drawn, 1)
            by_task[name] = {
                task.name: self.draws.interval(float(means[at]), replicates[:, at], 0.0, 1.0)
                for at, task in enumerate(self.tasks)
            }
            by_group[name] = {
                group: self.draws.interval(
                    float(self._of_group(means, group)), self._of_group(replicates, group), 0.0, 1.0
                )
                for group in self.groups
            }
        return Orders(by_task, by_group)

    def _of_group(self, by_task: Array, group: str) -> Array:
        """The mean of `[..., task]` over the tasks of a group."""
        return by_task[..., [task.group == group for task in self.tasks]].mean(-1)
