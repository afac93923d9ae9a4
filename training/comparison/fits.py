"""Fits: one arm trained with one seed, measured, and never trained again while what decides it stays the same."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from model.contract.durable import write_text
from model.contract.mistakes import InputError, Strict
from model.costs import costs
from training import checkpoints
from training.comparison.arms import Arm
from training.comparison.measures import Figure, figures, measures_of
from training.config import RunConfig
from training.dataset import Dataset, open_prepared
from training.evaluation import compute_logits, fit_calibration
from training.loop import Checkpointing, Trainer, Watcher
from training.splits import TEST, VALID

VERSION = "1"  # a new one makes fits of older versions be made again
UNDECIDING: Mapping[str, bool | set[str]] = {
    "name": True,
    "data": True,
    "policies": True,
    "serving": True,
    "training": {"checkpoint_steps"},
}


class Measured(Strict):
    """What one fit is worth: `figures[split][measure]`; `multiplications` are those of one candidate, `seconds` those
    of training, null where only its end was seen.
    """

    figures: dict[str, dict[str, Figure]]
    parameters: int
    multiplications: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Fit:
    """`encoded` is the folder of the run's dataset, all tasks in it; `folder` keeps what was measured."""

    arm: Arm
    seed: int
    encoded: Path
    folder: Path

    @property
    def config(self) -> RunConfig:
        training = self.arm.config.training.model_copy(update={"seed": self.seed})
        return self.arm.config.model_copy(update={"training": training})

    @property
    def key(self) -> str:
        """Changes with all that decides what is measured; the name of `encoded` is a hash of the data."""
        content = self.config.model_dump_json(exclude=UNDECIDING)
        return hashlib.sha256("\n".join([VERSION, self.encoded.name, content]).encode()).hexdigest()[:16]

    @property
    def checkpoint(self) -> Path:
        return self.folder / f"{self.key}.pt"

    @property
    def result(self) -> Path:
        return self.folder / f"{self.key}.json"

    def __str__(self) -> str:
        alone = f" ({self.arm.config.tasks[0].name})" if len(self.arm.tasks) == 1 else ""
        return f"{self.arm.name}{alone}, seed {self.seed}"


class Stopwatch:
    """A watcher that hands on to another, and knows what time the whole training takes when only a part is seen."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher, self.start = watcher, time.perf_counter()
        self.seconds: float | None = None
        self.steps_seen = 0

    def step(self, progress: checkpoints.Progress, num_steps: int, losses: dict[str, float], optimised: float) -> None:
        self.steps_seen += 1
        self.seconds = (time.perf_counter() - self.start) * progress.total_steps / self.steps_seen
        self.watcher.step(progress, num_steps, losses, optimised)

    def epoch(self, record: dict[str, Any], is_best: bool) -> None:
        self.watcher.epoch(record, is_best)


def measured_before(fit: Fit) -> Measured | None:
    try:
        return Measured.model_validate_json(fit.result.read_bytes()) if fit.result.is_file() else None
    except ValidationError:  # of another version
        return None


def measure(fit: Fit, watcher: Watcher) -> Measured:
    """Train, from the last checkpoint if there is one, and measure; raises InputError that names the fit.

    All figures are at the logged positions, as while training: where position matters, a ranker that copies the old
    order would otherwise look better than one that sees through it.
    """
    torch.use_deterministic_algorithms(True)
    config = fit.config
    dataset = of_tasks(open_prepared(config.feature_schema, fit.encoded), fit.arm.tasks)
    stopwatch = Stopwatch(watcher)
    try:
        ranker = Trainer(config, dataset, Checkpointing(fit.checkpoint, fit.key, resume=True), stopwatch).run()
    except InputError as error:
        raise InputError(*(replace(one, where=f"{fit}: {one.where}") for one in error.mistakes)) from error
    measures, found = measures_of(config), {}
    for name in (VALID, TEST):  # calibration is of validation
        split = dataset.splits[name]
        logits = compute_logits(ranker, split, as_logged=True)
        if name == VALID:
            fit_calibration(ranker.calibration, config.tasks, logits, split.values, split.observed)
        found[name] = dict(figures(ranker, config.tasks, measures, logits, split))
    cost = costs(ranker)
    measured = Measured(
        figures=found,
        parameters=cost.parameters,
        multiplications=cost.candidate_multiplications,
        seconds=stopwatch.seconds,
    )
    write_text(fit.result, measured.model_dump_json())
    fit.checkpoint.unlink(missing_ok=True)
    return measured


def of_tasks(dataset: Dataset, tasks: Sequence[int]) -> Dataset:
    """The same encoded rows with the labels of these tasks alone, which are held in memory."""
    chosen = list(tasks)
    if chosen == list(range(len(dataset.scales))):
        return dataset
    splits = {
        name: replace(split, values=split.values[:, chosen], observed=split.observed[:, chosen])
        for name, split in dataset.splits.items()
    }
    return replace(dataset, scales=tuple(dataset.scales[at] for at in chosen), splits=splits)
