"""Importance: nothing for what the ranker does not look at, something for what it needs."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from training.evidence import importance
from training.evidence.draws import Interval
from training.evidence.importance import Importance, arrays_by_feature, measure
from training.evidence.subject import Absent, Scored, Subject, take


def test_all_that_is_read_belongs_to_one_feature(subject: Subject) -> None:
    groups = arrays_by_feature(subject.dataset.schema)
    inputs = subject.ranker.inputs.copies[0]
    read = [*inputs.request_names, *inputs.candidate_names, *inputs.pair_names]
    assert sorted(name for names in groups.values() for name in names) == sorted(read)
    assert groups["duration_s"] == ["duration_s", "duration_s.bin"]
    assert "position" not in groups


@pytest.fixture(scope="module")
def deaf(subject: Subject) -> Importance:
    """Of a ranker that takes all hours for the same, and that needs the popularity."""
    ranker = copy.deepcopy(subject.ranker)
    with torch.no_grad():
        ranker.inputs.copies[0].embeddings.table("hour").zero_()
    return measure(replace(subject, ranker=ranker))


def test_what_is_not_looked_at_costs_nothing(deaf: Importance) -> None:
    assert all(drops["hour"] == Interval(0.0, 0.0, 0.0) for drops in deaf.drops.values())
    assert "hour" in deaf.idle


def test_what_is_needed_costs_something(deaf: Importance) -> None:
    click = deaf.drops["click"]
    best = max(click, key=lambda name: click[name].low)
    assert click[best].low > 0 and best not in deaf.idle
    assert deaf.metrics == {
        "click": "auc",
        "watch_time": "rmse_transformed",
        "like": "auc",
        "rating": "rmse_transformed",
    }


def test_the_same_again(subject: Subject, deaf: Importance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance, "FOLD_ROWS", 50)
    assert measure(subject).drops["click"] == measure(subject).drops["click"]


def test_few_rows_are_refused(subject: Subject) -> None:
    few = Scored.of(subject.ranker, subject.tasks, take(subject.valid.split, np.arange(3)))
    with pytest.raises(Absent, match="3 validation rows are too few"):
        measure(replace(subject, valid=few))


def test_a_feature_that_does_it_all_alone_is_worth_a_hint() -> None:
    def drops(leak: float) -> dict[str, Interval]:
        return {name: Interval(value, value, value) for name, value in (("a", leak), ("b", 0.01), ("c", 0.02))}

    def hints(leak: float) -> list[str]:
        return [alarm.text for alarm in Importance({"click": "auc"}, {"click": drops(leak)}, {}, 100).alarms]

    assert not hints(0.03)
    assert hints(0.3) == ["click leans on a almost alone: does it leak what is to be predicted?"]
