"""Checks of labels: out of range, unobserved, of one class; and their rates in each split."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from model.contract.mistakes import InputError
from model.contract.tasks import Task, TaskKind
from training.checking.findings import Finding, Level, of_mistake
from training.checking.subject import Subject
from training.joined import ROW
from training.labels import read_labels
from training.spelling import spelled
from training.splits import NAMES, TEST, TRAIN

OUT_OF_RANGE, UNOBSERVED, ONE_CLASS = "label out of range", "no labels", "one class"


def check_labels(subject: Subject) -> Iterator[Finding]:
    for task in subject.config.tasks:
        try:
            read_labels(subject.impressions.head(0).collect(), [task], subject.source, 0)
        except InputError as error:
            yield from (of_mistake("wrong type", one) for one in error.mistakes)
        else:
            yield from _of_task(subject, task)


def _seen(task: Task) -> pl.Expr:
    seen = pl.col(task.label).is_not_null()
    if task.observed is not None:
        seen &= pl.col(task.observed).cast(pl.Int64).fill_null(0) != 0
    return seen


def _wrong(task: Task) -> pl.Expr:
    value, (low, high) = pl.col(task.label).cast(pl.Float64), task.bounds
    right = value.is_finite() & (value >= low) & (value <= high)
    if task.kind is TaskKind.BINARY:
        right &= (value == 0) | (value == 1)
    return _seen(task) & ~right


def _of_task(subject: Subject, task: Task) -> Iterator[Finding]:
    value = pl.col("value").filter("seen")
    rows = subject.impressions.select(
        which=subject.which, seen=_seen(task), wrong=_wrong(task), value=pl.col(task.label).cast(pl.Float64)
    )
    figures = rows.group_by("which").agg(
        pl.col("seen", "wrong").sum(), mean=value.mean(), low=value.min(), high=value.max()
    )
    by_split = {one["which"]: one for one in figures.collect().iter_rows(named=True)}
    if num_wrong := sum(one["wrong"] for one in by_split.values()):
        yield _first_wrong(subject, task, num_wrong)
        return
    for at, name in enumerate(NAMES):
        if at in by_split:
            yield from _of_split(task, name, by_split[at])
    yield _rates(task, [by_split.get(at, {"mean": None, "seen": 0}) for at in range(len(NAMES))])


def _rates(task: Task, by_split: Sequence[Mapping[str, Any]]) -> Finding:
    binary = task.kind is TaskKind.BINARY
    known = [one["mean"] for one in by_split]
    means = ["-" if mean is None else f"{mean:.2%}" if binary else spelled(mean) for mean in known]
    counts = ", ".join(f"{one['seen']:,}" for one in by_split)
    unit = f" {task.unit}" if task.unit else ""
    what = f"rate {', '.join(means)}" if binary else f"mean {', '.join(means)}{unit}"
    return Finding("ok", "labels", task.name, f"{what} of {counts} rows")


def _first_wrong(subject: Subject, task: Task, num_wrong: int) -> Finding:
    """As training would tell it, with how many more there are."""
    first = subject.impressions.with_row_index(ROW).filter(_wrong(task)).head(1).collect()
    try:
        read_labels(first, [task], subject.source, int(first[ROW][0]))
    except InputError as error:
        told = of_mistake(OUT_OF_RANGE, error.mistakes[0])
        return Finding(told.level, told.what, told.where, f"{told.detail}; {num_wrong:,} such rows")
    raise AssertionError(f"a label of `{task.name}` that the check refuses and training takes")


def _of_split(task: Task, name: str, figures: Mapping[str, Any]) -> Iterator[Finding]:
    """A split of one class trains nothing and has no AUC, on which early stopping would then stand."""
    where = f"{task.name}, {name}"
    if not figures["seen"]:
        yield Finding("error", UNOBSERVED, where, f"column `{task.label}` is observed in none of the rows")
    elif figures["low"] == figures["high"]:
        always = f"always {spelled(figures['low'])} in {figures['seen']:,} observed rows"
        binary = task.kind is TaskKind.BINARY
        level: Level = "error" if name == TRAIN or (binary and name != TEST) else "warning"
        yield Finding(level, ONE_CLASS if binary else "constant label", where, always)
