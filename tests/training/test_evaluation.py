"""Calibration fitted on validation: right on average, in the right unit, never turning an order around."""

import numpy as np
import pytest
import torch

from model.calibration import Calibration
from model.contract.tasks import Task
from training.evaluation import fit_calibration, predict
from training.metrics import auc, calibration_error

CLICK = Task.model_validate({"name": "c", "group": "e", "kind": "binary", "label": "c"})
WATCH = Task.model_validate({"name": "w", "group": "e", "kind": "regression", "label": "w", "transform": "log1p"})
STARS = Task.model_validate({"name": "s", "group": "e", "kind": "regression", "label": "s", "range": [1, 5]})


def fitted(task: Task, logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    calibration = Calibration([task], [1.0], [0.0])
    observed = np.ones((len(labels), 1), dtype=bool)
    fit_calibration(calibration, [task], logits[:, None], labels[:, None].astype(np.float32), observed)
    return predict(calibration, logits[:, None])[:, 0]


@pytest.mark.parametrize(("slope", "shift"), [(3.0, 1.0), (0.2, -2.0), (1.0, 0.0)])
def test_a_distorted_classifier_is_mended_and_keeps_its_order(slope: float, shift: float) -> None:
    random = np.random.default_rng(0)
    true_logit = random.normal(-2, 1, 50_000)
    labels = (random.random(50_000) < 1 / (1 + np.exp(-true_logit))).astype(float)
    logits = true_logit * slope + shift
    predictions = fitted(CLICK, logits, labels)
    assert calibration_error(predictions, labels) < 0.006
    assert predictions.mean() == pytest.approx(labels.mean(), rel=1e-4)
    assert auc(predictions, labels) == pytest.approx(auc(logits, labels), abs=1e-4)


def test_a_useless_or_inverted_classifier_is_never_turned_around() -> None:
    random = np.random.default_rng(1)
    labels = (random.random(5000) < 0.1).astype(float)
    logits = -2.0 * labels + random.normal(0, 0.1, 5000)
    predictions = fitted(CLICK, logits, labels)
    assert (np.diff(predictions[np.argsort(logits)]) >= 0).all()
    assert np.isfinite(predictions).all()


def test_one_class_leaves_finite_predictions() -> None:
    assert np.isfinite(fitted(CLICK, np.linspace(-1, 1, 100), np.zeros(100))).all()


def test_watch_time_is_right_on_average_in_seconds() -> None:
    random = np.random.default_rng(2)
    truth = random.normal(2, 1, 50_000)
    labels = np.expm1(np.maximum(truth + random.normal(0, 0.8, 50_000), 0))
    predictions = fitted(WATCH, (truth - 1) * 4, labels)
    assert predictions.mean() == pytest.approx(labels.mean(), rel=0.01)
    assert predictions.min() >= 0


def test_predictions_stay_in_the_range_of_their_task() -> None:
    predictions = fitted(STARS, np.linspace(-50, 50, 1000), np.linspace(1, 5, 1000).round())
    assert predictions.min() >= 1 and predictions.max() <= 5


def test_calibration_sees_observed_rows_only() -> None:
    calibration = Calibration([CLICK], [1.0], [0.0])
    logits, values = np.zeros((100, 1)), np.ones((100, 1), dtype=np.float32)
    values[:40] = 0
    observed = np.ones((100, 1), dtype=bool)
    observed[80:] = False
    fit_calibration(calibration, [CLICK], logits, values, observed)
    assert torch.sigmoid(calibration.intercept).item() == pytest.approx(0.5, abs=1e-4)
