"""torch-rechub's arm: its MMoE, stepped by its own trainer, with batches cut from tensors in memory."""

import contextlib
import io
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch_rechub.basic.features import SparseFeature
from torch_rechub.basic.initializers import RandomNormal
from torch_rechub.models.multi_task import MMOE
from torch_rechub.trainers import MTLTrainer

from benchmarks.training_arms.impressions import NAMES, NUM_TASKS, Impressions
from benchmarks.training_arms.job import (
    EMBEDDING_DIM,
    EXPERT_UNITS,
    NUM_EXPERTS,
    TOWER_UNITS,
    Job,
    Measured,
    Stopwatch,
    auc,
)
from model.contract.vocabulary import NUM_RESERVED
from model.embeddings import EMBEDDING_DEVIATION

KIND = "classification"


@dataclass(frozen=True, slots=True)
class Rows:
    """Shuffled batches as the trainer reads them; that it asks for the next one says that a step is over."""

    features: Mapping[str, Tensor]
    labels: Tensor
    batch_size: int
    stopwatch: Stopwatch

    def __len__(self) -> int:
        return -(-len(self.labels) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
        self.stopwatch.begin()
        for rows in torch.randperm(len(self.labels)).split(self.batch_size):
            yield {name: one[rows] for name, one in self.features.items()}, self.labels[rows]
            self.stopwatch.step(len(rows))


def measure(job: Job, train: Impressions, test: Impressions) -> Measured:
    torch.manual_seed(job.size.seed)
    torch.set_num_threads(job.num_threads)
    stopwatch = Stopwatch()
    rows = Rows(_tensors(train), torch.from_numpy(train.labels), job.batch_size, stopwatch)
    size = job.size.vocabulary + NUM_RESERVED
    # Begun as WatchNext's are: from its own, of deviation 1e-4, it needs far longer to learn as much.
    drawn = RandomNormal(0, EMBEDDING_DEVIATION)
    features = [SparseFeature(name, size, EMBEDDING_DIM, initializer=drawn) for name in NAMES]
    towers = [{"dims": list(TOWER_UNITS)} for _ in range(NUM_TASKS)]
    model = MMOE(features, [KIND] * NUM_TASKS, NUM_EXPERTS, {"dims": list(EXPERT_UNITS)}, towers)
    trainer = MTLTrainer(model, [KIND] * NUM_TASKS, optimizer_params={"lr": job.learning_rate, "weight_decay": 0.0})
    start = time.perf_counter()
    best: tuple[float, ...] = (0.0,)
    for _ in range(job.num_epochs):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            trainer.train_one_epoch(rows)
        best = max(best, auc(test, _predicted(model, test)), key=sum)
    return stopwatch.measured((time.perf_counter() - start) / job.num_epochs, best)


def _predicted(model: torch.nn.Module, test: Impressions) -> np.ndarray:
    model.eval()
    features = _tensors(test)
    with torch.no_grad():
        parts = [
            model({name: one[at : at + 8192] for name, one in features.items()}) for at in range(0, len(test), 8192)
        ]
    return torch.cat(parts).numpy()


def _tensors(rows: Impressions) -> dict[str, Tensor]:
    return {name: torch.from_numpy(one) for name, one in rows.codes.items()}
