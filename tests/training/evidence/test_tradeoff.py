"""Trade-off: the figures of metrics.json, group by group, among weights that could be."""

import json
from dataclasses import replace

import numpy as np
import pytest

from training.evidence.subject import Absent, Subject
from training.evidence.tradeoff import NUM_SWEPT, TradeOff, measure


@pytest.fixture(scope="module")
def tradeoff(subject: Subject) -> TradeOff:
    return measure(subject)


def test_policies_have_the_ndcg_of_metrics_json(subject: Subject, tradeoff: TradeOff) -> None:
    written = json.loads((subject.run.folder / "metrics.json").read_text())["test"]["ndcg"]
    for policy, by_task in tradeoff.policies.by_task.items():
        assert {task: one.value for task, one in by_task.items()} == pytest.approx(written[policy])
        groups = tradeoff.policies.by_group[policy]
        assert groups["engagement"].value == pytest.approx(
            (written[policy]["click"] + written[policy]["watch_time"]) / 2
        )
        assert all(one.low <= one.value <= one.high for one in groups.values())


def test_what_is_swept_lies_around_the_tasks_alone(tradeoff: TradeOff) -> None:
    assert tradeoff.swept.shape == (NUM_SWEPT, 2) and tradeoff.groups == ("engagement", "satisfaction")
    assert set(tradeoff.single.by_group) == {f"{task} alone" for task in ("click", "watch_time", "like", "rating")}
    assert np.ptp(tradeoff.swept, axis=0).min() > 0.01
    singles = [one["engagement"].value for one in tradeoff.single.by_group.values()]
    assert min(singles) - 0.02 < tradeoff.swept[:, 0].min() < tradeoff.swept[:, 0].max() < max(singles) + 0.05


def test_one_group_has_nothing_to_trade(subject: Subject) -> None:
    tasks = tuple(task.model_copy(update={"group": "all"}) for task in subject.tasks)
    config = subject.run.config.model_copy(update={"tasks": tasks})
    with pytest.raises(Absent, match="of one group"):
        measure(replace(subject, run=replace(subject.run, config=config)))
