"""Scenes for tests: requests of equal length with what a ranker would predict of them."""

import numpy as np
from numpy.typing import NDArray

from model.contract.tasks import Task
from training.replay.lists import Lists
from training.replay.scene import Scene

Array = NDArray[np.float64]


def task(name: str) -> Task:
    return Task.model_validate({"name": name, "group": "any", "kind": "binary", "label": name})


def scene(predictions: dict[str, Array], top_k: int, users: NDArray[np.int64] | None = None) -> Scene:
    """`predictions` by task `[request, candidate]`."""
    num_requests, num_candidates = next(iter(predictions.values())).shape
    request = np.repeat(np.arange(num_requests), num_candidates)
    user = request if users is None else np.repeat(users, num_candidates)
    lists = Lists.of(request, user, np.ones(len(request), dtype=bool), top_k)
    return Scene(lists, tuple(map(task, predictions)), {name: one.ravel() for name, one in predictions.items()}, top_k)
