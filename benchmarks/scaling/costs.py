"""Costs: of one request, and of training, for one size of one thing."""

import shutil
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks import preparation
from benchmarks.serving.reference import REFERENCES, Reference, published
from benchmarks.serving.workloads import by_ids
from benchmarks.training_arms import watchnext
from benchmarks.training_arms.impressions import Size, simulated
from benchmarks.training_arms.job import Job, Stopwatch
from model.contract.request import RankRequest
from model.contract.versions import live_version, version_folder
from service.ranking.pipeline import rank
from service.registry.loading import load_ranker
from training.dataset import prepare
from training.loop import Checkpointing, Trainer
from training.run import Run

Costs = dict[str, float]
SECOND = REFERENCES["second"]
NUM_CANDIDATES, NUM_REQUESTS, NUM_LOADS, BATCH_SIZE = 500, 60, 3, 4096
REQUEST_MS, LOAD_S, ROW_US, PREPARATION_MB, TRAINING_MB = (
    "request, ms",
    "loading, s",
    "training, µs a row",
    "preparation, peak MB",
    "training, peak MB",
)


class Watch:
    """Notes the time of steps alone."""

    def __init__(self) -> None:
        self.stopwatch = Stopwatch()

    def step(self, *_: Any) -> None:
        self.stopwatch.step(BATCH_SIZE)

    def epoch(self, *_: Any) -> None:
        self.stopwatch.begin()


def of_candidates(num_candidates: int, folder: Path) -> Costs:
    return {REQUEST_MS: _request_ms(SECOND, folder, num_candidates)}


def of_catalog(num_videos: int, folder: Path) -> Costs:
    reference = replace(SECOND, name=f"videos-{num_videos}", num_videos=num_videos)
    version = _version(reference, folder)
    taken = []
    for _ in range(NUM_LOADS):
        began = time.perf_counter()
        load_ranker(version, num_threads=1)
        taken.append(time.perf_counter() - began)
    return {REQUEST_MS: _request_ms(reference, folder), LOAD_S: statistics.median(taken)}


def of_tasks(num_tasks: int, folder: Path) -> Costs:
    return _request_and_training(replace(SECOND, name=f"tasks-{num_tasks}", num_tasks=num_tasks), folder)


def of_experts(num_experts: int, folder: Path) -> Costs:
    return _request_and_training(replace(SECOND, name=f"experts-{num_experts}", num_experts=num_experts), folder)


def of_vocabulary(vocabulary: int, _: Path) -> Costs:
    """With a table of 20 features, as in benchmarks.training."""
    size = Size(vocabulary, num_train=20 * BATCH_SIZE, num_test=BATCH_SIZE)
    job = Job(size, num_epochs=1, num_threads=torch.get_num_threads(), learning_rate=3e-3, batch_size=BATCH_SIZE)
    return {ROW_US: 1e6 / watchnext.measure(job, *simulated(size)).rows_per_s}


def of_rows(num_rows: int, folder: Path) -> Costs:
    """The smaller network of benchmarks.preparation: its log is written, prepared, trained on, and removed."""
    with tempfile.TemporaryDirectory(dir=folder) as room:
        preparation.write_logs(Path(room) / "logs", num_rows, "tables")
        prepared = preparation.alone(preparation.prepared_few, Path(room), "tables")
        trained = preparation.alone(preparation.trained, Path(room), "tables")
    return {
        PREPARATION_MB: prepared["anonymous_mb"],
        TRAINING_MB: trained["anonymous_mb"],
        ROW_US: 1e6 * trained["seconds"] / num_rows,
    }


def _request_and_training(reference: Reference, folder: Path) -> Costs:
    costs = {REQUEST_MS: _request_ms(reference, folder), ROW_US: _row_us(reference, folder)}
    shutil.rmtree(folder / reference.name)
    return costs


def _version(reference: Reference, folder: Path) -> Path:
    registry = published(reference, folder).registry
    return version_folder(registry, live_version(registry))


def _request_ms(reference: Reference, folder: Path, num_candidates: int = NUM_CANDIDATES) -> float:
    """Of the median request by id, in this process, on one thread."""
    ranker = load_ranker(_version(reference, folder), num_threads=1)
    bodies = by_ids(num_candidates).bodies(reference.num_videos)
    requests = [RankRequest.model_validate_json(body, strict=True) for body in bodies]
    taken = []
    for at in range(NUM_REQUESTS):
        began = time.perf_counter()
        rank(requests[at % len(requests)], ranker)
        taken.append(time.perf_counter() - began)
    return 1000 * statistics.median(taken)


def _row_us(reference: Reference, folder: Path) -> float:
    """Of an epoch over the reference's own table."""
    made = published(reference, folder)
    config = reference.config(made.folder)
    settings = config.training.model_copy(update={"batch_size": BATCH_SIZE, "max_epochs": 1})
    run, watch = Run.of(config.model_copy(update={"training": settings}), made.folder / "runs"), Watch()
    dataset = prepare(run.preparation, run.encoded, lambda *_: None)
    Trainer(run.config, dataset, Checkpointing(made.folder / "checkpoint.pt", "", resume=False), watch).run()
    return 1e6 * watch.stopwatch.seconds / watch.stopwatch.rows
