"""torch-rechub's MMoE, trained by its own trainer's epochs, on the columns of one side: it knows no crossed history."""

import contextlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_rechub.basic.features import DenseFeature, SparseFeature
from torch_rechub.models.multi_task import MMOE
from torch_rechub.trainers import MTLTrainer

from benchmarks.quality.arm import Array, Job
from benchmarks.quality.columns import Columns, columns_of
from benchmarks.quality.scores import scores, utility
from model.contract.scaling import Scaler, Transform
from model.contract.tasks import TaskKind
from training.labels import targets_of
from training.splits import TEST, TRAIN, VALID

NUM_EPOCHS, BATCH_SIZE, EMBEDDING_DIM = 5, 1024, 16
NUM_EXPERTS, EXPERT_UNITS, TOWER_UNITS = 8, [256, 64], [64]
MIN_COUNT = 10  # rarer categories are one, as in the config of WatchNext
KINDS = {TaskKind.BINARY: "classification", TaskKind.REGRESSION: "regression"}


@dataclass(frozen=True, slots=True)
class Rows:
    """Shuffled batches in the form that the trainer reads: features by name, and targets `[row, task]`."""

    features: Mapping[str, Tensor]
    targets: Tensor
    random: torch.Generator

    def __len__(self) -> int:
        return -(-len(self.targets) // BATCH_SIZE)

    def __iter__(self) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
        order = torch.randperm(len(self.targets), generator=self.random)
        for rows in torch.split(order, BATCH_SIZE):
            yield {name: one[rows] for name, one in self.features.items()}, self.targets[rows]


def predict(job: Job) -> Array:
    """Of `NUM_EPOCHS` the one that is best on validation."""
    torch.manual_seed(job.seed)
    torch.set_num_threads(job.num_threads)
    tasks, splits, inputs = job.config.tasks, job.dataset.splits, _inputs(columns_of(job.config, job.dataset))
    targets = targets_of(tasks, job.dataset.scales, splits[TRAIN].values)
    train = Rows(inputs[TRAIN], torch.from_numpy(targets), torch.Generator().manual_seed(job.seed))
    trainer = _trainer(job, inputs)
    best, chosen = float("-inf"), np.empty(0)
    for _ in range(NUM_EPOCHS):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            trainer.train_one_epoch(train)
        value = utility(tasks, scores(tasks, splits[VALID], _predict(job, trainer, inputs[VALID])))
        if value > best:
            best, chosen = value, _predict(job, trainer, inputs[TEST])
    return chosen


def _trainer(job: Job, inputs: Mapping[str, Mapping[str, Tensor]]) -> Any:
    sizes = {name: 1 + max(int(split[name].max()) for split in inputs.values()) for name in inputs[TRAIN]}
    features = [
        DenseFeature(name, embed_dim=one.shape[1])
        if one.is_floating_point()
        else SparseFeature(name, vocab_size=sizes[name], embed_dim=EMBEDDING_DIM)
        for name, one in inputs[TRAIN].items()
    ]
    kinds = [KINDS[task.kind] for task in job.config.tasks]
    towers = [{"dims": TOWER_UNITS} for _ in kinds]
    model = MMOE(features, kinds, NUM_EXPERTS, {"dims": EXPERT_UNITS}, towers)
    return MTLTrainer(model, kinds)


def _inputs(columns: Mapping[str, Columns]) -> dict[str, dict[str, Tensor]]:
    """`[row]` codes of categories, `[row, 2]` numbers as WatchNext scales them, and whether they are missing."""
    train = columns[TRAIN]
    scalers = {name: Scaler.fit(one, Transform.LOG1P, 0) for name, one in train.numbers.items()}
    counts = {name: np.bincount(one) for name, one in train.categories.items()}

    def known(name: str, codes: NDArray[np.int32]) -> NDArray[np.int32]:
        frequent = np.flatnonzero(counts[name] >= MIN_COUNT)
        return np.where(np.isin(codes, frequent), codes, 0)

    return {
        split: {name: torch.from_numpy(known(name, one)) for name, one in some.categories.items()}
        | {name: torch.from_numpy(scalers[name].scale(one)) for name, one in some.numbers.items()}
        for split, some in columns.items()
    }


def _predict(job: Job, trainer: Any, inputs: Mapping[str, Tensor]) -> Array:
    """`[row, task]` on the scale of learning."""
    trainer.model.eval()
    with torch.no_grad():
        found = trainer.model(inputs).double().numpy()
    clipped = np.clip(found, 1e-7, 1 - 1e-7)
    columns = [
        np.log(clipped[:, at] / (1 - clipped[:, at]))
        if task.kind is TaskKind.BINARY
        else found[:, at] * scale.deviation + scale.mean
        for at, (task, scale) in enumerate(zip(job.config.tasks, job.dataset.scales, strict=True))
    ]
    return np.stack(columns, 1)
