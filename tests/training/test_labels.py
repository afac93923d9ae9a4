"""The scale of labels: that of all that were observed, however many blocks they come in."""

import numpy as np
import pytest

from model.contract.tasks import Task
from training import labels
from training.labels import scale_of

WATCH = Task.model_validate({"name": "w", "group": "e", "kind": "regression", "label": "w", "transform": "log1p"})


@pytest.mark.parametrize("block_rows", [1, 7, 1000])
def test_the_scale_is_that_of_the_observed_labels(block_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "BLOCK_ROWS", block_rows)
    random = np.random.default_rng(0)
    values, observed = random.exponential(30, 100).astype(np.float32), random.random(100) < 0.5
    known = np.log1p(values[observed].astype(np.float64))
    found = scale_of(WATCH, values, observed)
    assert (found.mean, found.deviation) == pytest.approx((known.mean(), known.std()))


def test_of_a_constant_no_rounding_is_taken_for_a_deviation() -> None:
    found = scale_of(WATCH, np.full(12_345, 3.3, np.float32), np.ones(12_345, dtype=bool))
    assert found.deviation == 0.0
