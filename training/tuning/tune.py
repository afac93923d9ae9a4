"""Tuning: trials on validation alone, until there are enough; the best is written as a run config."""

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import torch
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console

from model.contract.durable import told_as_input_errors, write_text
from model.contract.mistakes import InputError, mistake
from training import checkpoints
from training.config import RunConfig, to_yaml
from training.dataset import Dataset, prepare
from training.fits_bar import FitsBar
from training.loop import Checkpointing, Trainer
from training.run import Run
from training.tuning.space import Range, Space, with_values
from training.tuning.study import REASON, ask, open_study, told_of_database, trials_over, values_of

VERSION = "1"  # a new one begins studies anew


@dataclass(frozen=True, slots=True)
class Tuning:
    """`num_trials` are those of the study in all, earlier ones among them; after `timeout_s` seconds none is begun. The
    best config is written to `out`.
    """

    run: Run
    space: Space
    num_trials: int
    timeout_s: float | None
    out: Path

    @property
    def folder(self) -> Path:
        return self.run.folder / "tuning"

    @property
    def key(self) -> str:
        """Changes with all that decides what a trial may be and what it is worth."""
        config = self.run.config.model_dump_json(exclude={"name", "data", "policies", "serving"})
        space = {place: one.model_dump() if isinstance(one, Range) else one for place, one in self.space.items()}
        parts = [VERSION, self.run.encoded.name, config, json.dumps(space)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


class Pruner:
    """Watches one trial: tells the study of every epoch, and ends it where it is worse than half of those before it."""

    def __init__(self, trial: optuna.Trial, bar: FitsBar) -> None:
        self.trial, self.bar = trial, bar

    def step(self, progress: checkpoints.Progress, num_steps: int, losses: dict[str, float], optimised: float) -> None:
        self.bar.step(progress, num_steps, losses, optimised)

    def epoch(self, record: dict[str, Any], is_best: bool) -> None:  # noqa: ARG002
        self.trial.report(record["utility"], record["epoch"])
        if self.trial.should_prune():
            raise optuna.TrialPruned


def tune(tuning: Tuning, console: Console) -> list[FrozenTrial]:
    """Returns the trials that are over; raises InputError where none of them has a utility."""
    torch.use_deterministic_algorithms(True)
    run, database = tuning.run, tuning.folder / "study.db"
    with told_as_input_errors(str(run.folder)), told_of_database(database), FitsBar(console) as bar:
        dataset = prepare(run.preparation, run.encoded, bar.preparing)
        study = open_study(database, tuning.key, run.config, tuning.space)
        try:
            _go_on(study, tuning, dataset, bar)
        finally:
            done = trials_over(study)
            if whole := by_utility(done):
                write_text(tuning.out, _best_yaml(tuning, whole[0], len(done)))
    if not whole:
        reasons = [trial.user_attrs[REASON] for trial in done if REASON in trial.user_attrs]
        raise mistake("tune", "a trial that comes to an end", reasons[-1] if reasons else "none that was begun")
    return done


def by_utility(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """Those that came to an end, the best first."""
    whole = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    return sorted(whole, key=lambda trial: trial.value or 0.0, reverse=True)


def _go_on(study: optuna.Study, tuning: Tuning, dataset: Dataset, bar: FitsBar) -> None:
    config, began = tuning.run.config, time.monotonic()
    done = len(trials_over(study))
    bar.expect(tuning.num_trials, done)
    while done < tuning.num_trials and (tuning.timeout_s is None or time.monotonic() - began < tuning.timeout_s):
        # A function of what is over and of nothing else: an interrupted study ends as an unbroken one would.
        seed = np.random.SeedSequence((config.training.seed, done)).generate_state(1)
        trial = ask(study, tuning.space, int(seed[0]))
        bar.begin(f"trial {done + 1}", config.training.max_epochs)
        study.tell(trial, **_outcome(tuning, trial, dataset, bar))
        for checkpoint in tuning.folder.glob("*.pt"):
            checkpoint.unlink()
        done += 1
        bar.end(f"trial {done}")


def _outcome(tuning: Tuning, trial: optuna.Trial, dataset: Dataset, bar: FitsBar) -> dict[str, Any]:
    """What is told of a trial: its utility, or that it was pruned, or that it failed."""
    try:
        config = with_values(tuning.run.config, values_of(trial), "the trial")
        return {"values": _utility(tuning, config, trial, dataset, bar)}
    except optuna.TrialPruned:
        return {"state": TrialState.PRUNED}
    except InputError as error:  # it diverged, or its values do not go together
        trial.set_user_attr(REASON, str(error.mistakes[0]))
        return {"state": TrialState.FAIL}


def _utility(tuning: Tuning, config: RunConfig, trial: optuna.Trial, dataset: Dataset, bar: FitsBar) -> float:
    """Of the best epoch, on validation. What was interrupted goes on from its checkpoint."""
    identity = checkpoints.identity(config, tuning.run.encoded.name)
    path = tuning.folder / f"{identity[:16]}.pt"
    found = checkpoints.load(path, identity)
    for record in found[0].history if found else ():
        trial.report(record["utility"], record["epoch"])
    trainer = Trainer(config, dataset, Checkpointing(path, identity, resume=True), Pruner(trial, bar))
    trainer.run()
    return trainer.progress.best_utility


def _best_yaml(tuning: Tuning, best: FrozenTrial, num_trials: int) -> str:
    config = with_values(tuning.run.config, values_of(best), "the best trial")
    origin = f"# The best of {num_trials} trials of `watchnext tune`: utility {best.value:.4f} on validation."
    return f"{origin}\n{to_yaml(config)}"
