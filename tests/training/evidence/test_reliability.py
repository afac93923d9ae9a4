"""Reliability: what is on the diagonal is right, and what is not is off by what the ECE says."""

from dataclasses import replace

import numpy as np
import pytest

from training.evidence.reliability import FEWEST_BINS, measure
from training.evidence.subject import Subject
from training.metrics import NUM_BINS, Evaluated


def test_bins_are_those_of_the_ece(subject: Subject) -> None:
    written = measure(subject)
    for one in written.tasks:
        happened = np.array([interval.value for interval in one.happened])
        assert (np.diff(one.predicted) >= 0).all()
        assert all(interval.low <= interval.value <= interval.high for interval in one.happened)
        if len(happened) == NUM_BINS:  # of equally many rows, so that the mean over bins is nearly that over rows
            assert np.abs(one.predicted - happened).mean() == pytest.approx(one.error, rel=0.02)
    rating = next(one for one in written.tasks if one.task.name == "rating")
    assert FEWEST_BINS <= len(rating.happened) < NUM_BINS  # it is observed in too few rows for more


def predicting(subject: Subject, factor: float) -> Subject:
    """The test split with labels drawn from predictions, of which the ranker then says `factor` times as much."""
    random = np.random.default_rng(0)
    tasks = dict(subject.test.tasks)
    click = tasks["click"]
    labels = (random.random(len(click.labels)) < click.predictions).astype(float)
    predictions = np.clip(click.predictions * factor, 0, 1)
    tasks["click"] = Evaluated(predictions, labels, click.transformed, labels, click.users)
    return replace(subject, test=replace(subject.test, tasks=tasks))


def test_whiskers_of_promises_kept_cross_the_diagonal(subject: Subject) -> None:
    one = measure(predicting(subject, 1.0)).tasks[0]
    crossed = [each.low <= predicted <= each.high for each, predicted in zip(one.happened, one.predicted, strict=True)]
    assert np.mean(crossed) >= 0.8


def test_too_high_promises_lie_below_the_diagonal(subject: Subject) -> None:
    one = measure(predicting(subject, 1.5)).tasks[0]
    below = [each.high < predicted for each, predicted in zip(one.happened, one.predicted, strict=True)]
    assert np.mean(below) >= 0.8


def test_a_regression_that_is_off_on_the_mean_is_an_alarm(subject: Subject) -> None:
    tasks = dict(subject.test.tasks)
    watch = tasks["watch_time"]
    off = {factor: watch.labels.mean() / watch.predictions.mean() * factor for factor in (1.0, 1.3)}
    for factor, scale in off.items():
        tasks["watch_time"] = replace(watch, predictions=watch.predictions * scale)
        found = measure(replace(subject, test=replace(subject.test, tasks=tasks))).alarms
        texts = [alarm.text for alarm in found if "watch_time" in alarm.text]
        assert texts == (
            [] if factor == 1.0 else ["watch_time is predicted 30% above what happened, on the mean of test."]
        )
