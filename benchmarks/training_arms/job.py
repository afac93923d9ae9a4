"""Job: what every library is asked to train, and what it is measured by."""

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.training_arms.impressions import Impressions, Size
from training.metrics import auc as auc_of

EMBEDDING_DIM, NUM_EXPERTS, EXPERT_UNITS, TOWER_UNITS = 16, 8, (256, 128), (64,)
WARM_UP_STEPS = 3  # which fill caches and pools, and are not counted


@dataclass(frozen=True, slots=True)
class Job:
    """The same for all: Adam with its usual settings, batches in random order, no dropout."""

    size: Size
    num_epochs: int
    num_threads: int
    learning_rate: float
    batch_size: int = 4096


@dataclass(frozen=True, slots=True)
class Measured:
    """`rows_per_s` while it steps, `cpu_rows_per_s` by time on processors; `epoch_s` of a whole epoch with all that is
    done at its end. `auc` of each task on rows that were not trained on.
    """

    rows_per_s: float
    cpu_rows_per_s: float
    epoch_s: float
    memory_mb: float
    auc: tuple[float, ...]
    remark: str = ""


@dataclass(slots=True)
class Stopwatch:
    """Told when a step is over; knows how many rows a second that is. An epoch begins with `begin`."""

    rows: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    steps_left: int = WARM_UP_STEPS
    before: tuple[float, float] = field(default_factory=lambda: (time.perf_counter(), time.process_time()))

    def begin(self) -> None:
        self.before = (time.perf_counter(), time.process_time())

    def step(self, rows: int) -> None:
        now, before = (time.perf_counter(), time.process_time()), self.before
        self.before = now
        self.steps_left -= 1
        if self.steps_left < 0:
            self.rows += rows
            self.seconds += now[0] - before[0]
            self.cpu_seconds += now[1] - before[1]

    def measured(self, epoch_s: float, auc: tuple[float, ...], remark: str = "") -> Measured:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
        return Measured(self.rows / self.seconds, self.rows / self.cpu_seconds, epoch_s, most, auc, remark)


Arm = Callable[[Job, Impressions, Impressions], Measured]


def auc(test: Impressions, predictions: NDArray[np.floating]) -> tuple[float, ...]:
    """Of predictions `[row, task]`."""
    tasks = zip(predictions.T.astype(np.float64), test.labels.T.astype(np.float64), strict=True)
    return tuple(auc_of(scores, labels) for scores, labels in tasks)
