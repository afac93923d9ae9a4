"""WatchNext's own arms: a run config, trained and calibrated as `watchnext train` does."""

import tempfile
from pathlib import Path

import torch

from benchmarks.quality.arm import Array, Job
from training.comparison.schedule import Silent
from training.evaluation import compute_logits, fit_calibration
from training.hardware import compute_deterministically
from training.loop import Checkpointing, Trainer
from training.splits import TEST, VALID


def predict(job: Job) -> Array:
    compute_deterministically()
    torch.set_num_threads(job.num_threads)
    valid, test = job.dataset.splits[VALID], job.dataset.splits[TEST]
    with tempfile.TemporaryDirectory() as folder:
        saving = Checkpointing(Path(folder) / "checkpoint.pt", "", resume=False)
        ranker = Trainer(job.config, job.dataset, saving, Silent()).run()
    fit_calibration(ranker.calibration, job.config.tasks, compute_logits(ranker, valid), valid.values, valid.observed)
    return ranker.calibration.transformed(torch.from_numpy(compute_logits(ranker, test))).numpy()
