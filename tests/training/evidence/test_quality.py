"""Quality: the figures of metrics.json, with intervals, and what is alarming in them."""

import json
from dataclasses import replace

import pytest

from training.evidence.draws import Interval
from training.evidence.quality import Quality, TaskQuality, measure
from training.evidence.subject import Subject


@pytest.fixture(scope="module")
def quality(subject: Subject) -> Quality:
    return measure(subject)


def test_figures_are_those_of_metrics_json(subject: Subject, quality: Quality) -> None:
    written = json.loads((subject.run.folder / "metrics.json").read_text())
    for one in quality.tasks:
        for split, metrics in one.metrics.items():
            found = {name: figure.value for name, figure in metrics.items()}
            assert found == pytest.approx(written[split]["tasks"][one.task.name])
            assert all(figure.low <= figure.value <= figure.high for figure in metrics.values())


def test_rates_and_rows_are_those_of_test(subject: Subject, quality: Quality) -> None:
    observed = subject.test.split.observed
    rating = next(one for one in quality.tasks if one.task.name == "rating")
    assert rating.num_rows == observed[:, 3].sum() < len(observed)
    assert 1 <= rating.mean_label <= 5


def with_metrics(one: TaskQuality, **metrics: Interval) -> Quality:
    return Quality((replace(one, metrics=one.metrics | {"test": one.metrics["test"] | metrics}),))


def test_a_bad_ece_and_an_order_of_chance_are_alarms(quality: Quality) -> None:
    click = quality.tasks[0]
    fine = with_metrics(click, ece=Interval(0.01, 0.005, 0.015), auc=Interval(0.7, 0.65, 0.75))
    assert not list(fine.alarms)
    [alarm] = with_metrics(click, ece=Interval(0.031, 0.02, 0.04), auc=Interval(0.7, 0.65, 0.75)).alarms
    assert alarm.serious and "click" in alarm.text and "0.031" in alarm.text
    [alarm] = with_metrics(click, ece=Interval(0.01, 0.005, 0.015), auc=Interval(0.52, 0.49, 0.55)).alarms
    assert alarm.serious and "no better than by chance" in alarm.text
