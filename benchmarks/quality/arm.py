"""Arm: one that takes part; what it is given to train with, and the one form in which it answers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.contract.scaling import TRANSFORMS
from training.config import RunConfig
from training.dataset import Dataset

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Job:
    config: RunConfig
    dataset: Dataset
    num_threads: int

    @property
    def seed(self) -> int:
        return self.config.training.seed

    def targets(self, split: str) -> Array:
        """`[row, task]` labels on the scale of learning: 0 and 1, or transformed."""
        values = self.dataset.splits[split].values.astype(np.float64)
        columns = [TRANSFORMS[task.transform](values[:, at]) for at, task in enumerate(self.config.tasks)]
        return np.stack(columns, 1)


# Trains with train, chooses with valid, and predicts test, `[row, task]`: log-odds, or the transformed label.
Predict = Callable[[Job], Array]


@dataclass(frozen=True, slots=True)
class Arm:
    """One that takes part. `content` changes with what decides its results, beside the data and the seed."""

    name: str
    predict: Predict
    config: RunConfig
    content: str
