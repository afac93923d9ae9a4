"""Divergence: at which task, and in which rows of the table, a run stopped being made of numbers."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from model.contract.mistakes import InputError, mistake
from model.contract.tasks import Task
from training.batches import TrainingBatch
from training.losses import row_losses

NUM_NAMED = 5
ADVICE = "a lower `training.learning_rate`? odd values in these rows? What was saved before is kept"


def of_losses(
    when: str,
    tasks: Sequence[Task],
    losses: Float[Tensor, " task"],
    logits: Float[Tensor, "batch task"],
    batch: TrainingBatch,
) -> InputError:
    """For losses of which one is not finite."""
    at = int((~losses.isfinite()).nonzero()[0])
    each = row_losses([task.kind for task in tasks], logits, batch.targets, batch.observed)
    wrong = ~each[:, at].isfinite().cpu().numpy()
    # Where no row is to blame it is their sum.
    return _told(f"{when}, task `{tasks[at].name}`", "loss", batch.rows[wrong] if wrong.any() else batch.rows)


def of_gradients(
    when: str,
    tasks: Sequence[Task],
    losses: Float[Tensor, " task"],
    parameters: Sequence[nn.Parameter],
    batch: TrainingBatch,
) -> InputError:
    """For finite losses with a gradient that is not; `losses` have their graph."""
    for task, loss in zip(tasks, losses, strict=True):
        found = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        if not are_finite(one for one in found if one is not None):
            return _told(f"{when}, task `{task.name}`", "gradient", batch.rows)
    return _told(f"{when}, what ties the tasks", "gradient", batch.rows)


def of_logits(when: str, tasks: Sequence[Task], logits: NDArray[np.float64], rows: NDArray[np.int64]) -> InputError:
    """For logits `[row, task]` that are not finite, of the table's `rows`."""
    wrong = ~np.isfinite(logits)
    at = int(np.argmax(wrong.any(0)))
    return _told(f"{when}, task `{tasks[at].name}`", "logit", rows[wrong[:, at]])


def are_finite(tensors: Iterable[Tensor]) -> bool:
    """By their norm, which is one number to look at; what is too large for it has diverged as well."""
    return bool(nn.utils.get_total_norm(tensors).isfinite())


def is_finite(tensor: Tensor) -> bool:
    """By its ends: without a flag for every number of it."""
    return all(bool(one.isfinite()) for one in tensor.aminmax()) if tensor.numel() else True


def _told(where: str, what: str, rows: NDArray[np.int64]) -> InputError:
    more = f" and {len(rows) - NUM_NAMED:,} more" if len(rows) > NUM_NAMED else ""
    named = ", ".join(str(one) for one in rows[:NUM_NAMED])
    return mistake(where, f"a finite {what} ({ADVICE})", f"none in row{'s' if len(rows) > 1 else ''} {named}{more}")
