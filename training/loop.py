"""The training loop: every step a function of the weights, the seed and the step's number, and of nothing else."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from model.contract.mistakes import mistake
from model.contract.tasks import Task
from model.ranker import MultiTaskRanker
from training import checkpoints, divergence
from training.batches import Batches, TrainingBatch, ahead
from training.checkpoints import Progress
from training.config import RunConfig, TrainingConfig
from training.dataset import Dataset
from training.evaluation import compute_logits, utility
from training.hardware import Precision, device_of, faster_precision, keep_freed_memory
from training.health import expert_health
from training.knots import fit_knots
from training.losses import task_losses
from training.optimizer import Optimizer
from training.splits import TRAIN, VALID
from training.touched import RowFinder, Touched


class Watcher(Protocol):
    """Somebody who looks on: a progress bar, a curve."""

    def step(self, progress: Progress, num_steps: int, losses: dict[str, float], optimised: float) -> None:
        """Every task's unweighted loss, and the value that was optimised."""

    def epoch(self, record: dict[str, Any], is_best: bool) -> None:
        """The newest record of `Progress.history`."""


@dataclass(frozen=True, slots=True)
class Checkpointing:
    path: Path
    identity: str
    resume: bool


def build_ranker(config: RunConfig, dataset: Dataset) -> MultiTaskRanker:
    torch.manual_seed(config.training.seed)
    tables = dataset.schema.tables(dataset.encoder.fitted)
    knots = fit_knots(dataset.splits[TRAIN], dataset.schema, config.network.pieces)
    return MultiTaskRanker(config.ranker, dataset.schema, tables, config.tasks, dataset.scales, knots)


class Trainer:
    """Fits one ranker. `run` may be killed at any moment: resumed, it ends in the same weights, bit for bit."""

    def __init__(self, config: RunConfig, dataset: Dataset, saving: Checkpointing, watcher: Watcher) -> None:
        self.config, self.dataset, self.saving, self.watcher = config, dataset, saving, watcher
        self.settings: TrainingConfig = config.training
        self.tasks: Sequence[Task] = config.tasks
        self.device = device_of(self.settings.device)
        self.ranker = build_ranker(config, dataset).to(self.device)
        self.balancer = config.balancing.build(self.tasks).to(self.device)
        self.optimizer = Optimizer(self.ranker, self.balancer, self.settings)
        self.progress = Progress(loss_sums=[0.0] * len(self.tasks))
        self.batches = Batches(dataset.splits[TRAIN], self.tasks, dataset.scales, self.settings)
        self.finder = RowFinder(self.ranker.inputs.copies[0].embeddings)
        self.saved_steps = 0

    @property
    def evaluated(self) -> MultiTaskRanker:
        """The weights that are chosen between and published: the moving average where there is one."""
        return self.optimizer.average or self.ranker

    @property
    def trained_config(self) -> RunConfig:
        """With the precision that `auto` came to."""
        settings = self.settings.model_copy(update={"precision": self.progress.precision})
        return self.config.model_copy(update={"training": settings})

    def run(self) -> MultiTaskRanker:
        """Train until the epochs are over or the utility stops rising; returns the ranker of the best epoch."""
        keep_freed_memory()
        self._check_utility()
        self._resume()
        self.progress.precision = self.progress.precision or self._precision()
        while not self.progress.finished:
            self._train_epoch()
            self._end_epoch()
            self._save()
        self.ranker.load_state_dict(self.progress.best)
        return self.ranker.cpu().eval()

    def _resume(self) -> None:
        found = checkpoints.load(self.saving.path, self.saving.identity) if self.saving.resume else None
        if found is None:
            return
        self.progress, state = found
        self.ranker.load_state_dict(state["ranker"])
        self.evaluated.load_state_dict(state["evaluated"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.balancer.load_state_dict(state["balancer"])
        self.saved_steps = self.progress.total_steps
        # More epochs may have been asked for since.
        stopped_early = self.progress.stale_epochs >= self.settings.early_stop.patience
        self.progress.finished = stopped_early or self.progress.epoch >= self.settings.max_epochs

    def _save(self) -> None:
        parts = {"ranker": self.ranker, "evaluated": self.evaluated, "balancer": self.balancer}
        state: dict[str, Any] = {name: part.state_dict() for name, part in parts.items()}
        for weights in state.values():
            if broken := [name for name, one in weights.items() if not divergence.is_finite(one)]:
                expected = "finite weights (a lower `training.learning_rate`?)"
                raise mistake(self._when, expected, f"others in `{broken[0]}`")
        state["optimizer"] = self.optimizer.state_dict()
        checkpoints.save(self.saving.path, self.saving.identity, self.progress, state)
        self.saved_steps = self.progress.total_steps

    @property
    def _when(self) -> str:
        return f"training, epoch {self.progress.epoch + 1}, step {self.progress.step + 1}"

    def _train_epoch(self) -> None:
        self.ranker.train()
        progress = self.progress
        for batch, touched in ahead(self._batches()):
            losses, optimised = self._step(batch, touched)
            progress.loss_sums = [total + loss for total, loss in zip(progress.loss_sums, losses, strict=True)]
            progress.optimised_sum += optimised
            progress.step += 1
            progress.total_steps += 1
            self.watcher.step(progress, len(self.batches), self._by_task(losses), optimised)

    def _batches(self) -> Iterator[tuple[TrainingBatch, Touched]]:
        """Those that are left of this epoch."""
        for batch in self.batches.of_epoch(self.progress.epoch, first=self.progress.step):
            yield batch.on(self.device), self.finder.find(batch.arrays).on(self.device)

    def _step(self, batch: TrainingBatch, touched: Touched) -> tuple[list[float], float]:
        """Returns every task's loss, and the value that was optimised."""
        optimizer = self.optimizer
        optimizer.lend(touched)
        logits, losses = self._forward(batch, self.progress.precision)
        if not losses.isfinite().all():
            raise divergence.of_losses(self._when, self.tasks, losses, logits, batch)
        # Here, and not after a step: weights are good when they were seen to give numbers.
        if self.progress.total_steps - self.saved_steps >= self.settings.checkpoint_steps:
            self._save()
        optimised = self.balancer.backward(losses, optimizer.shared).item()
        penalty = self.ranker.sharing.penalty()
        if penalty.requires_grad:
            penalty.backward()  # type: ignore[no-untyped-call]
        if not divergence.are_finite(one.grad for one in optimizer.parameters if one.grad is not None):
            again = self._forward(batch, self.progress.precision)[1]
            raise divergence.of_gradients(self._when, self.tasks, again, optimizer.parameters, batch)
        optimizer.step()
        return losses.tolist(), optimised

    def _forward(self, batch: TrainingBatch, precision: Precision | None) -> tuple[Tensor, Tensor]:
        # Dropout is drawn anew from the step's number: a resumed run draws what the unbroken one would have drawn.
        torch.manual_seed(_step_seed(self.settings.seed, self.progress.total_steps))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            logits = self.ranker(batch.arrays).float()
        return logits, task_losses([task.kind for task in self.tasks], logits, batch.targets, batch.observed)

    def _precision(self) -> Precision:
        """As the config has it; else what is faster on the first batch, with nothing drawn and nothing changed."""
        if self.settings.precision != "auto":
            return self.settings.precision
        batch, touched = next(self._batches())
        self.ranker.eval()
        self.optimizer.lend(touched)

        def attempt(precision: Precision) -> None:
            _, losses = self._forward(batch, precision)
            torch.autograd.grad(losses.sum(), self.optimizer.parameters, allow_unused=True)

        found = faster_precision(attempt)
        self.optimizer.take_back()
        return found

    def _check_utility(self) -> None:
        """A metric that the valid split cannot have, an AUC of one class, would be found out only after an epoch."""
        valid = self.dataset.splits[VALID]
        some_order = np.linspace(-1, 1, valid.num_rows)[:, None].repeat(len(self.tasks), 1)
        _, parts = utility(self.ranker, self.tasks, self.settings.early_stop.utility, some_order, valid)
        for name, metric in parts.items():
            if not np.isfinite(metric):
                expected = "a task with labels in the valid split that this metric can be had of"
                raise mistake(f"training.early_stop.utility, {name}", expected, "labels all alike")

    def _end_epoch(self) -> None:
        progress, valid = self.progress, self.dataset.splits[VALID]
        self.optimizer.catch_up()
        # At the logged positions: who copies the old order must not look better than who sees through it.
        logits = compute_logits(self.evaluated, valid, as_logged=True)
        if not np.isfinite(logits).all():
            when = f"validation after epoch {progress.epoch + 1}"
            raise divergence.of_logits(when, self.tasks, logits, valid.rows)
        value, parts = utility(self.evaluated, self.tasks, self.settings.early_stop.utility, logits, valid)
        is_best = value > progress.best_utility or not progress.best
        if is_best:
            progress.best_utility = value
            progress.best = {name: tensor.clone() for name, tensor in self.evaluated.state_dict().items()}
        means = [total / len(self.batches) for total in progress.loss_sums]
        record = {
            "epoch": progress.epoch,
            "losses": self._by_task(means),
            "optimised": progress.optimised_sum / len(self.batches),
            "weights": self._by_task(self.balancer.weights.tolist()),
            "utility": value,
            "metrics": parts,
            "health": expert_health(self.evaluated, self.tasks, valid).model_dump(mode="json"),
        }
        progress.history.append(record)
        self.balancer.end_epoch(torch.tensor(means, device=self.device))
        progress.stale_epochs = 0 if is_best else progress.stale_epochs + 1
        progress.epoch, progress.step, progress.optimised_sum = progress.epoch + 1, 0, 0.0
        progress.loss_sums = [0.0] * len(self.tasks)
        stale = progress.stale_epochs >= self.settings.early_stop.patience
        progress.finished = stale or progress.epoch >= self.settings.max_epochs
        self.watcher.epoch(record, is_best)

    def _by_task(self, values: Sequence[float]) -> dict[str, float]:
        return {task.name: value for task, value in zip(self.tasks, values, strict=True)}


def _step_seed(seed: int, step: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}:{step}".encode(), digest_size=7).digest())
