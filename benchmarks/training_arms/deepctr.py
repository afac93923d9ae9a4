"""DeepCTR-Torch's arm: its MMOE, by its own `fit`."""

import contextlib
import io
import time
from typing import Any

import numpy as np
import torch

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


def measure(job: Job, train: Impressions, test: Impressions) -> Measured:
    from deepctr_torch.inputs import SparseFeat
    from deepctr_torch.models import MMOE

    torch.set_num_threads(job.num_threads)
    size = job.size.vocabulary + NUM_RESERVED
    model: Any = MMOE(
        [SparseFeat(name, size, EMBEDDING_DIM) for name in NAMES],
        num_experts=NUM_EXPERTS,
        expert_dnn_hidden_units=EXPERT_UNITS,
        gate_dnn_hidden_units=(),
        tower_dnn_hidden_units=TOWER_UNITS,
        l2_reg_embedding=0.0,
        init_std=EMBEDDING_DEVIATION,
        task_types=["binary"] * NUM_TASKS,
        task_names=[f"task_{at}" for at in range(NUM_TASKS)],
    )
    model.compile(torch.optim.Adam(model.parameters(), job.learning_rate), ["binary_crossentropy"] * NUM_TASKS)
    stopwatch = Stopwatch(steps_left=0)
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        model.fit(dict(train.codes), train.labels, batch_size=job.batch_size, epochs=job.num_epochs, verbose=0)
    stopwatch.step(job.num_epochs * len(train))
    seconds = (time.perf_counter() - start) / job.num_epochs
    return stopwatch.measured(seconds, auc(test, np.asarray(model.predict(dict(test.codes), 8192))))
