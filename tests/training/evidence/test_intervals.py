"""Weighted metrics: with integer weights they are the metrics of rows that are repeated so many times."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.contract.tasks import TaskKind
from training.evidence.draws import Draws
from training.evidence.intervals import REPLICATES, interval
from training.metrics import METRICS, Evaluated

CASES = [(kind, name) for kind, metrics in METRICS.items() for name in metrics]
NUM_USERS = 12


def some_rows(kind: TaskKind, seed: int, num_rows: int = 80) -> Evaluated:
    """With many ties."""
    random = np.random.default_rng(seed)
    users, signal = random.integers(0, NUM_USERS, num_rows), random.normal(size=num_rows).round(1)
    if kind is TaskKind.BINARY:
        chance = (1 / (1 + np.exp(-signal))).round(2)
        labels = (random.random(num_rows) < chance).astype(float)
        return Evaluated(chance, labels, signal, labels, users)
    labels = (signal + random.normal(size=num_rows)).round(0)
    return Evaluated(signal, labels, signal + 1, labels, users)


def test_every_metric_has_its_replicates() -> None:
    assert {kind: list(metrics) for kind, metrics in REPLICATES.items()} == {k: list(m) for k, m in METRICS.items()}


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_with_everybody_drawn_once_it_is_the_metric(kind: TaskKind, name: str) -> None:
    one = some_rows(kind, 1)
    replicates = REPLICATES[kind][name](one, Draws(np.ones((2, NUM_USERS)), one.users))
    assert replicates == pytest.approx(np.full(2, METRICS[kind][name].compute(one)))


@pytest.mark.parametrize(("kind", "name"), [case for case in CASES if case[1] != "ece"])
@given(seed=st.integers(0, 10_000))
def test_a_draw_is_the_metric_of_repeated_rows(kind: TaskKind, name: str, seed: int) -> None:
    """Not so the ECE, whose bins stay those of the whole sample."""
    one = some_rows(kind, seed)
    weights = np.random.default_rng(seed).poisson(1.0, (3, NUM_USERS)).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        replicates = REPLICATES[kind][name](one, Draws(weights, one.users))
    for drawn, found in zip(weights, replicates, strict=True):
        rows = np.repeat(np.arange(len(one.labels)), drawn[one.users].astype(int))
        parts = (one.predictions[rows], one.labels[rows], one.transformed[rows], one.targets[rows])
        if len(rows) and np.ptp(one.labels[rows]):
            expected = METRICS[kind][name].compute(Evaluated(*parts, one.users[rows]))
            assert found == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_intervals_hold_the_metric_and_narrow_with_more_users(kind: TaskKind, name: str) -> None:
    widths = []
    for num_rows in (500, 8000):
        one = some_rows(kind, 2, num_rows)
        found = interval(kind, name, one, Draws.of(np.arange(num_rows) // 2))
        assert found.value == METRICS[kind][name].compute(one)
        assert found.low <= found.value <= found.high
        widths.append(found.high - found.low)
    assert widths[1] < 0.5 * widths[0]


def test_one_class_has_no_interval() -> None:
    one = some_rows(TaskKind.BINARY, 3)
    silent = Evaluated(one.predictions, np.zeros(80), one.transformed, np.zeros(80), one.users)
    found = interval(TaskKind.BINARY, "auc", silent, Draws.of(one.users))
    assert np.isnan([found.value, found.low, found.high]).all()
