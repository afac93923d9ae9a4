"""Predictions keep the order of logits, stay within their task's bounds, and undo what was done to labels."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.calibration import INVERSES, Calibration, link
from model.contract.scaling import TRANSFORMS, Transform
from model.contract.tasks import Task
from tests.model.builders import TASKS

figures = st.floats(0.125, 4, width=32)
FREE = Task(name="change", group="g", kind="regression", label="l")


def fitted(slope: float, intercept: float, scale: float, *tasks: Task) -> Calibration:
    calibration = Calibration(tasks, [1.0] * len(tasks), [0.0] * len(tasks))
    for name, value in (("slope", slope), ("intercept", intercept), ("scale", scale)):
        getattr(calibration, name).fill_(value)
    return calibration


@given(figures, st.floats(-3, 3, width=32), figures)
def test_predictions_rise_with_logits_within_bounds(slope: float, intercept: float, scale: float) -> None:
    rising = torch.tensor([-torch.inf, *torch.linspace(-200, 200, 81).tolist(), torch.inf])
    predictions = fitted(slope, intercept, scale, *TASKS)(rising.unsqueeze(1).expand(-1, len(TASKS)))
    assert (predictions.diff(dim=0).nan_to_num(0) >= 0).all()
    for column, task in zip(predictions.T, TASKS, strict=True):
        assert task.bounds[0] <= column.min()
        assert column.max() <= task.bounds[1]


@pytest.mark.parametrize("transform", Transform)
def test_an_inverse_undoes_its_transform(transform: Transform) -> None:
    values = torch.tensor([-1e6, -3.0, -0.5, -1e-6, 0.0, 1e-6, 0.5, 3.0, 1e6], dtype=torch.float64)
    there = torch.from_numpy(TRANSFORMS[transform](values.numpy()))
    torch.testing.assert_close(INVERSES[transform](there), values)


@pytest.mark.parametrize("task", [*TASKS[1::2], FREE], ids=lambda task: task.name)
def test_it_starts_with_what_undoes_the_standardisation(task: Task) -> None:
    labels, mean, deviation = np.array([1.0, 2.5, 5.0]), 1.5, 0.7
    logits = torch.from_numpy((TRANSFORMS[task.transform](labels) - mean) / deviation).float().unsqueeze(1)
    torch.testing.assert_close(
        Calibration([task], [deviation], [mean])(logits).squeeze(1), torch.from_numpy(labels).float()
    )


def test_a_binary_task_is_platt_scaled() -> None:
    calibration, logits = fitted(0.5, -1.0, 1.0, TASKS[0]), torch.randn(9, 1)
    torch.testing.assert_close(calibration(logits), torch.sigmoid(0.5 * logits - 1))
    torch.testing.assert_close(calibration.transformed(logits), 0.5 * logits - 1)
    assert link(TASKS[0]) is torch.sigmoid


def test_each_task_has_figures_of_its_own() -> None:
    calibration, logits = Calibration([FREE] * 3, [1.0, 2.0, 3.0], [0.0, 10.0, 20.0]), torch.ones(1, 3)
    calibration.scale.copy_(torch.tensor([1.0, 1.0, 2.0]))
    assert calibration(logits).tolist() == [[1, 12, 46]]


def test_its_figures_are_saved_but_not_trained() -> None:
    calibration = Calibration(TASKS, [1.0] * 4, [0.0] * 4)
    assert set(calibration.state_dict()) == {"slope", "intercept", "scale"}
    assert list(calibration.parameters()) == []
