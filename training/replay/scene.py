"""Scene: the logged requests that are replayed, with what the ranker predicts of every candidate in them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from model.contract.combination import Policy, combine
from model.contract.tasks import Task
from training.dataset import SplitData
from training.replay.lists import Array, Bools, Ints, Lists


@dataclass(frozen=True, slots=True)
class Scene:
    """`predictions` by task `[row]`, calibrated, at a missing position; the first `top_k` places are looked at."""

    lists: Lists
    tasks: tuple[Task, ...]
    predictions: Mapping[str, Array]
    top_k: int

    @classmethod
    def of(cls, split: SplitData, tasks: tuple[Task, ...], predictions: Array, usable: Bools, top_k: int) -> "Scene":
        """Of the requests with more than `top_k` candidates, all of them `usable` `[row of split]`: any policy puts the
        same ones first in a shorter one. `predictions` are `[row of split, task]`.
        """
        lists = Lists.of(np.asarray(split.groups), np.asarray(split.users), usable, top_k)
        return cls(lists, tasks, {task.name: predictions[lists.rows, at] for at, task in enumerate(tasks)}, top_k)

    def order_by(self, policy: Policy) -> Array:
        """`[row]`: what the policy would have put in order, the best largest."""
        return combine(self.predictions, policy).order_by

    def top(self, policy: Policy) -> Ints:
        """`[list, place]`: rows of the policy's first places."""
        return self.lists.top(self.order_by(policy), self.top_k)

    def means(self, top: Ints) -> dict[str, Array]:
        """By task `[list]`: the mean prediction of the rows `[list, place]`."""
        return {task: values[top].mean(axis=1) for task, values in self.predictions.items()}

    def first(self, num_lists: int) -> "Scene":
        """The first few requests."""
        lists = self.lists.first(num_lists)
        predictions = {task: values[: len(lists.rows)] for task, values in self.predictions.items()}
        return Scene(lists, self.tasks, predictions, self.top_k)
