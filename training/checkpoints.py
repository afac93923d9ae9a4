"""Checkpoints: all that a run needs to go on as if it had never stopped."""

import hashlib
import io
import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from model.contract.durable import write_durably
from model.contract.mistakes import mistake
from training.config import RunConfig


@dataclass(slots=True)
class Progress:
    """Where a run stands. `epoch` and `step` are those of the next batch, `best` the weights of the best epoch.

    The sums are of this epoch. `history` has one record an epoch: its number; the means of the unweighted task losses
    and of what was optimised, and the newest weights of the tasks; utility, metrics and the health of the experts on
    the valid split.
    """

    epoch: int = 0
    step: int = 0
    total_steps: int = 0
    stale_epochs: int = 0
    best_utility: float = float("-inf")
    best: dict[str, torch.Tensor] = field(default_factory=dict)
    loss_sums: list[float] = field(default_factory=list)
    optimised_sum: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    finished: bool = False


def identity(config: RunConfig, dataset_key: str) -> str:
    """Changes with everything that decides the weights; not with the limits of the run or what follows it."""
    content = config.model_dump_json(
        exclude={
            "policies": True,
            "serving": True,
            "data": {"propensity"},
            "training": {"max_epochs", "checkpoint_steps"},
        }
    )
    return hashlib.sha256((content + dataset_key).encode()).hexdigest()


def save(path: Path, identity: str, progress: Progress, state: dict[str, Any]) -> None:
    buffer = io.BytesIO()
    torch.save({"identity": identity, "progress": asdict(progress), **state}, buffer)
    write_durably(path, lambda beside: beside.write_bytes(buffer.getvalue()))


def load(path: Path, identity: str) -> tuple[Progress, dict[str, Any]] | None:
    """None where there is no checkpoint; raises InputError where it is of another run, or damaged."""
    if not path.is_file():
        return None
    try:
        state = torch.load(path, weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, OSError) as error:
        raise mistake(
            str(path), "a checkpoint", f"{type(error).__name__}; delete it, or train without --resume"
        ) from error
    if state.pop("identity") != identity:
        expected = "a checkpoint of this config and these data"
        raise mistake(str(path), expected, "one of others; train without --resume to start over")
    return Progress(**state.pop("progress")), state
