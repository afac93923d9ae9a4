"""Slices: newness agrees with the logs, parts do not overlap, and a part where the ranker is blind comes first."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from training.evidence.slices import FEWEST_ROWS, TaskSlices, measure
from training.evidence.slicing import NUM_PARTS, by_feature, newness, quartiles
from training.evidence.subject import Absent, Scored, Subject, take
from training.metrics import auc


def test_newness_is_what_the_logs_say(subject: Subject) -> None:
    preparation, split = subject.run.preparation, subject.test.split
    table = preparation.table.impressions.select("user_id", "video_id", "date").collect()
    train = table.filter(pl.col("date") < preparation.split.valid_from)
    rows = table[split.rows.tolist()]
    found = {one.name: one.rows for one in newness(preparation, subject.dataset, split)}
    for what, column in (("users", "user_id"), ("videos", "video_id")):
        new = ~rows[column].is_in(train[column].unique().to_list()).to_numpy()
        assert 0 < new.sum() < len(new)
        assert (found[f"new {what}"] == new).all() and (found[f"known {what}"] == ~new).all()
    met = rows.join(train.group_by("user_id").len(), on="user_id", how="left", maintain_order="left")["len"]
    parts = {name: part for name, part in found.items() if name.startswith("users met")}
    assert len(parts) == NUM_PARTS
    for name, part in parts.items():
        low, high = (int(word) for word in name.split() if word.isdigit())
        assert ((met.fill_null(0).is_between(low, high)).to_numpy() == part).all()


def test_parts_of_one_feature_do_not_overlap_and_miss_nobody(subject: Subject) -> None:
    split = subject.test.split
    by_name: dict[str, list[np.ndarray]] = {}
    for one in by_feature(subject.dataset, split):
        by_name.setdefault(one.name.split(":")[0].split(" = ")[0], []).append(one.rows)
    several = {"topics", "watching_topics"}  # a video has some of them
    for name in {"device", "duration_s", "same_author", "recent", "country"} - several:
        assert (np.sum(by_name[name], axis=0) == 1).all(), name
    assert "position" not in by_name  # which is unknown when the ranker serves


def test_quartiles_keep_equal_values_together() -> None:
    values = np.array([0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 9])
    among = values < 9
    parts = list(quartiles(values, among))
    assert (np.sum([rows for _, _, rows in parts], axis=0) == among).all()
    assert all((values[rows] >= low).all() and (values[rows] <= high).all() for low, high, rows in parts)
    assert [low for low, _, _ in parts] == sorted({low for low, _, _ in parts})
    assert not list(quartiles(values, values < 0))


def blind_on(subject: Subject, rows: np.ndarray) -> Subject:
    """A ranker that knows clicks well, and on some rows not at all."""
    click, noise = subject.test.tasks["click"], np.random.default_rng(0).normal(size=len(rows))
    transformed = np.where(rows, noise, click.labels + 0.7 * noise)
    tasks = {**subject.test.tasks, "click": replace(click, transformed=transformed)}
    return replace(subject, test=replace(subject.test, tasks=tasks))


@pytest.fixture(scope="module")
def found(subject: Subject) -> TaskSlices:
    rows = next(one.rows for one in by_feature(subject.dataset, subject.test.split) if one.name == "device = ios")
    return measure(blind_on(subject, rows)).tasks[0]


def test_where_the_ranker_is_blind_comes_first(subject: Subject, found: TaskSlices) -> None:
    first = found.worst[0]
    assert first.name == "device = ios"
    assert first.metric.low < 0.5 < first.metric.high and first.metric.value < found.overall.low
    losses = [found.lost(one) for one in found.worst]
    assert losses == sorted(losses, reverse=True)
    assert all(one.num_rows >= FEWEST_ROWS for one in (*found.known, *found.worst))


def test_figures_of_a_slice_are_those_of_its_rows(subject: Subject, found: TaskSlices) -> None:
    known = next(
        one
        for one in newness(subject.run.preparation, subject.dataset, subject.test.split)
        if one.name == "known users"
    )
    click = subject.test.tasks["click"]
    figure = next(one for one in measure(subject).tasks[0].known if one.name == "known users")
    assert figure.metric.value == pytest.approx(auc(click.transformed[known.rows], click.labels[known.rows]))
    assert figure.num_rows == known.rows.sum()


def test_new_users_that_are_far_worse_are_an_alarm(subject: Subject) -> None:
    known = {one.name: one.rows for one in newness(subject.run.preparation, subject.dataset, subject.test.split)}
    name, rare = next((name, rows) for name, rows in known.items() if name.startswith("users met"))
    click = subject.test.tasks["click"]
    sharp = replace(click, transformed=np.where(rare, -1.0, 1.0) * (click.labels - 0.5))
    alarmed = replace(subject, test=replace(subject.test, tasks={**subject.test.tasks, "click": sharp}))
    texts = [alarm.text for alarm in measure(alarmed).alarms]
    assert any(text.startswith(f"click is far worse for {name}: AUC 0.000") for text in texts)


def test_few_rows_have_no_slices(subject: Subject) -> None:
    few = Scored.of(subject.ranker, subject.tasks, take(subject.test.split, np.arange(FEWEST_ROWS)))
    with pytest.raises(Absent, match="no part of the test rows has 200 rows"):
        measure(replace(subject, test=few))
