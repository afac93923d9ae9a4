"""WatchNext's own arm: the trainer of `watchnext train`, with its checks and checkpoints."""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.training_arms.impressions import BIASES, NAMES, Impressions
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
from model.contract.catalog import EntityTable
from model.contract.encoding import Encoder
from model.contract.features.interface import Fitted
from model.contract.hash_tables import HashTables
from model.contract.vocabulary import Vocabulary
from model.ranker import LabelScale
from training.config import RunConfig, parse
from training.dataset import Dataset, SplitData
from training.evaluation import compute_logits
from training.hardware import compute_deterministically
from training.loop import Checkpointing, Trainer
from training.splits import TEST, TRAIN, VALID

TASKS = tuple(f"task_{at}" for at in range(len(BIASES)))


class Watch:
    def __init__(self, batch_size: int) -> None:
        self.stopwatch, self.batch_size = Stopwatch(), batch_size

    def step(self, *_: Any) -> None:
        self.stopwatch.step(self.batch_size)

    def epoch(self, *_: Any) -> None:
        self.stopwatch.begin()


def measure(job: Job, train: Impressions, test: Impressions) -> Measured:
    torch.set_num_threads(job.num_threads)
    compute_deterministically()
    config, watch = _config(job), Watch(job.batch_size)
    dataset = _dataset(config, job.size.vocabulary, {TRAIN: train, VALID: test, TEST: test})
    with tempfile.TemporaryDirectory() as folder:
        saving = Checkpointing(Path(folder) / "checkpoint.pt", "", resume=False)
        trainer = Trainer(config, dataset, saving, watch)
        start = time.perf_counter()
        ranker = trainer.run()
        seconds = time.perf_counter() - start
    found = auc(test, compute_logits(ranker, dataset.splits[TEST]))
    remark = f"{trainer.progress.precision}"
    return watch.stopwatch.measured(seconds / job.num_epochs, found, remark)


def _config(job: Job) -> RunConfig:
    raw = {
        "name": "speed",
        "data": {
            "reader": {"kind": "simulated", "num_impressions": 1},
            "split": {"by": "random", "column": "user_id", "valid": 0.1, "test": 0.1},
        },
        "features": [
            {"name": name, "kind": "category", "side": "user" if at % 2 else "candidate"}
            for at, name in enumerate(NAMES)
        ],
        "tasks": [{"name": name, "group": "engagement", "kind": "binary", "label": name} for name in TASKS],
        "network": {
            "embedding_dim": EMBEDDING_DIM,
            "hidden_units": None,
            "tower_units": list(TOWER_UNITS),
        },
        "sharing": {
            "kind": "mmoe",
            "num_experts": NUM_EXPERTS,
            "expert_units": list(EXPERT_UNITS),
            "gate_dropout": 0.0,
        },
        "training": {
            "batch_size": job.batch_size,
            "learning_rate": job.learning_rate,
            "max_epochs": job.num_epochs,
            "early_stop": {"patience": job.num_epochs},
            "precision": "auto",
        },
        "policies": {"sum": {"combination": "weighted_sum", "weights": {TASKS[0]: 1.0}}},
    }
    return parse(raw, {}, "benchmark")


def _dataset(config: RunConfig, vocabulary: int, splits: dict[str, Impressions]) -> Dataset:
    tokens = np.sort(np.arange(vocabulary).astype(bytes))
    fitted = Fitted(dict.fromkeys(NAMES, Vocabulary(HashTables.of(tokens))), {}, {})
    nobody = EntityTable.build([], {}, {})
    scales = [LabelScale(mean=float(mean), deviation=1.0) for mean in splits[TRAIN].labels.mean(0)]
    data = {name: _split(name, one) for name, one in splits.items()}
    return Dataset(Encoder(config.feature_schema, fitted, nobody), nobody, tuple(scales), data)


def _split(name: str, rows: Impressions) -> SplitData:
    numbers = np.arange(len(rows))
    return SplitData(
        name, dict(rows.codes), rows.labels, np.ones(rows.labels.shape, dtype=bool), numbers, numbers, numbers
    )
