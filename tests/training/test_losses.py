"""Each task's loss counts its own sample space, and nothing outside of it."""

import math

import pytest
import torch

from model.contract.tasks import TaskKind
from training.losses import task_losses

KINDS = (TaskKind.BINARY, TaskKind.REGRESSION)


def test_losses_are_the_known_ones() -> None:
    logits, targets = torch.tensor([[0.0, 2.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    losses = task_losses(KINDS, logits, targets, torch.ones(2, 2, dtype=torch.bool))
    assert losses.tolist() == pytest.approx([math.log(2), 2.0])


def test_the_mean_is_over_observed_rows_alone() -> None:
    logits, targets = torch.tensor([[0.0, 3.0], [5.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, float("nan")]])
    observed = torch.tensor([[True, True], [False, False]])
    assert task_losses(KINDS, logits, targets, observed).tolist() == pytest.approx([math.log(2), 9.0])


def test_unobserved_rows_leave_no_gradient_and_an_empty_task_none_at_all() -> None:
    logits = torch.zeros(3, 2, requires_grad=True)
    targets = torch.tensor([[1.0, float("nan")], [float("nan"), float("nan")], [0.0, float("nan")]])
    observed = torch.tensor([[True, False], [False, False], [True, False]])
    task_losses(KINDS, logits, targets, observed).sum().backward()
    assert logits.grad is not None and torch.isfinite(logits.grad).all()
    assert (logits.grad != 0).tolist() == [[True, False], [False, False], [True, False]]
