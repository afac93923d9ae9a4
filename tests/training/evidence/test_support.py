"""Support: the same rows at every point, from what the ranker says of nobody to what it serves."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from model.contract.encoding import encode_pairs, missing
from model.contract.features.interface import Arrays
from tests.conftest import small_config
from training.config import parse
from training.dataset import SplitData, open_prepared
from training.evidence.draws import Interval
from training.evidence.subject import Absent, Scored, Subject, take
from training.evidence.support import SupportCurve, measure
from training.metrics import METRICS, Evaluated, main_metric
from training.run import Run, load_trained, train
from training.splits import TEST, TRAIN, VALID


@pytest.fixture(scope="module")
def held_out(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """Of a run whose split keeps users apart."""
    raw = small_config(logs)
    raw["data"]["split"] = {"by": "random", "column": "user_id", "valid": 0.3, "test": 0.3}
    raw["training"] |= {"max_epochs": 1}
    run = Run.of(parse(raw, {}, "config"), tmp_path_factory.mktemp("held_out"))
    train(run, None, resume=False, console=Console(quiet=True))
    dataset = open_prepared(run.config.feature_schema, run.encoded)
    return Subject.of(run, load_trained(run, dataset), dataset)


@pytest.fixture(scope="module")
def curve(held_out: Subject) -> SupportCurve:
    return measure(held_out)


def with_history(held_out: Subject) -> list[SplitData]:
    splits = [held_out.dataset.splits[name] for name in (VALID, TEST)]
    return [take(one, np.flatnonzero((np.asarray(one.arrays["recent"]) > 0).any(1))) for one in splits]


def metrics(held_out: Subject, splits: list[SplitData]) -> dict[str, float]:
    """Each task's main metric over the rows of both splits together."""
    parts = [Scored.of(held_out.ranker, held_out.tasks, one).tasks for one in splits]
    found = {}
    for task in held_out.tasks:
        columns = [[getattr(part[task.name], field.name) for part in parts] for field in fields(Evaluated)]
        whole = Evaluated(*map(np.concatenate, columns))
        found[task.name] = METRICS[task.kind][main_metric(task.kind)].compute(whole)
    return found


def test_the_last_point_is_what_is_served(held_out: Subject, curve: SupportCurve) -> None:
    splits = with_history(held_out)
    assert curve.supports == (0, 1, 2, 5, 10, 20)
    assert curve.num_rows == sum(one.num_rows for one in splits)
    expected = metrics(held_out, splits)
    assert {one.task.name: one.values[-1].value for one in curve.tasks} == pytest.approx(expected, abs=1e-6)


def test_the_first_point_is_the_ranker_that_knows_no_history(held_out: Subject, curve: SupportCurve) -> None:
    encoder = held_out.dataset.encoder

    def blank(split: SplitData) -> Arrays:
        arrays = split.arrays | missing(encoder, ["recent"], split.num_rows)
        return arrays | encode_pairs(encoder, arrays, arrays, np.arange(split.num_rows))

    expected = metrics(held_out, [replace(one, arrays=blank(one)) for one in with_history(held_out)])
    assert {one.task.name: one.values[0].value for one in curve.tasks} == pytest.approx(expected, abs=1e-6)
    assert all(one.gains[0] == Interval(0.0, 0.0, 0.0) for one in curve.tasks)


def test_users_are_counted_once_and_none_was_trained_on(held_out: Subject, curve: SupportCurve) -> None:
    users = {
        user: row for one in with_history(held_out) for user, row in zip(one.users, one.arrays["recent"], strict=True)
    }
    assert not set(users) & set(held_out.dataset.splits[TRAIN].users)
    lengths = np.array([(row > 0).sum() for row in users.values()])
    assert curve.num_users == len(users)
    assert curve.reached == tuple((lengths >= one).sum() for one in curve.supports)


def test_a_gain_is_the_difference_and_positive_where_history_helps(curve: SupportCurve) -> None:
    for one in curve.tasks:
        direction = METRICS[one.task.kind][one.metric].direction
        for value, gain in zip(one.values, one.gains, strict=True):
            assert gain.value == pytest.approx(direction * (value.value - one.values[0].value))
            assert gain.low <= gain.value <= gain.high
            assert value.low <= value.value <= value.high
        # The users are the same on both sides: much of what sets them apart falls out.
        assert one.gains[-1].high - one.gains[-1].low < one.values[-1].high - one.values[-1].low


def test_who_is_served_worse_with_a_history_is_told(curve: SupportCurve) -> None:
    def ending(gain: Interval) -> SupportCurve:
        first = curve.tasks[0]
        return replace(curve, tasks=(replace(first, gains=(*first.gains[:-1], gain)),))

    assert list(ending(Interval(-0.01, -0.03, 0.01)).alarms) == []
    [alarm] = ending(Interval(-0.02, -0.03, -0.01)).alarms
    assert curve.tasks[0].task.name in alarm.text


def test_there_is_nothing_where_everybody_is_known(subject: Subject) -> None:
    with pytest.raises(Absent, match=r"only \d+ users with a history"):
        measure(subject)


def test_there_is_nothing_without_a_history(held_out: Subject) -> None:
    dataset: Any = held_out.dataset
    features = tuple(one for one in dataset.schema.features if one.name not in ("recent", "same_author", "same_topic"))
    schema = dataset.schema.model_copy(update={"features": features})
    for name in ("columns", "histories", "matches", "specs"):
        schema.__dict__.pop(name, None)
    without = replace(dataset, encoder=replace(dataset.encoder, schema=schema))
    with pytest.raises(Absent, match="no history"):
        measure(replace(held_out, dataset=without))
