"""Checks of features: types, missing and constant values, and what alone tells a label."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from model.contract.columns import Column, Histories, Numbers, StringLists, Strings, Vectors
from model.contract.features.interface import Feature
from model.contract.features.number import Number
from model.contract.mistakes import InputError
from model.contract.tasks import Task, TaskKind
from training.checking.findings import Finding, at, of_mistake
from training.checking.subject import Subject
from training.columns import to_column
from training.joined import ROW
from training.labels import read_labels
from training.leakage import SUSPICIOUS, gap_tells, missing, tells
from training.sample import Sample, spread

SAMPLED_ROWS = 50_000  # joined, with vectors and histories: more would be a lot of memory
MOSTLY_MISSING = 0.5
LEAK = "leakage suspect"


@dataclass(frozen=True, slots=True)
class SampledLabel:
    """A task's labels in the sampled rows, NaN where not observed."""

    task: Task
    values: NDArray[np.float64]


def check_features(subject: Subject) -> Iterator[Finding]:
    yield from _in_wrong_places(subject)
    sample, features = _joined_sample(subject), subject.config.feature_schema.columns
    labels, not_finite = list(_labels(subject, sample.frame)), _not_finite(subject)
    num_fine = 0
    for name, feature in features.items():
        found = [not_finite[name]] if name in not_finite else list(_of_feature(subject.source, feature, sample, labels))
        yield from found
        num_fine += not found
    detail = f"{num_fine} of {len(features)} without a finding, in {sample.frame.height:,} rows from all over the log"
    yield Finding("ok", "features", "log and joined tables", detail)


def _in_wrong_places(subject: Subject) -> Iterator[Finding]:
    """A label itself is refused with the config; a mask of labels tells as much."""
    config, features = subject.config, subject.config.feature_schema.columns
    for task in config.tasks:
        if task.observed in features:
            detail = f"it says where `{task.name}` is observed, which nobody knows when ranking"
            yield Finding("error", "label in features", at(str(task.observed)), detail)
    for name in subject.moments:
        if name in features:
            yield Finding("warning", "time as feature", at(name), "no later row will have a value met in training")


def _joined_sample(subject: Subject) -> Sample:
    joined = subject.joined
    sample = spread(joined.table.impressions.select(joined.kept), SAMPLED_ROWS)
    return Sample([joined.with_entities(run) for run in sample.runs], sample.num_rows)


def _labels(subject: Subject, frame: pl.DataFrame) -> Iterator[SampledLabel]:
    for task in subject.config.tasks:
        try:
            labels = read_labels(frame, [task], subject.source, 0)
        except InputError:
            continue  # told by the checks of labels
        yield SampledLabel(task, np.where(labels.observed[:, 0], labels.values[:, 0], np.nan).astype(np.float64))


def _not_finite(subject: Subject) -> dict[str, Finding]:
    """Over all rows: training refuses a single one."""
    names = {name for name, one in subject.config.feature_schema.columns.items() if isinstance(one, Number)}
    frames = [subject.impressions, *(entity.frame.lazy() for entity in subject.joined.entities)]
    found: dict[str, Finding] = {}
    for frame in frames:
        floats = [name for name, kind in frame.collect_schema().items() if name in names and kind.is_float()]
        if floats:
            counts = frame.select((~pl.col(floats).is_finite()).sum()).collect().row(0)
            for name, count in zip(floats, counts, strict=True):
                detail = f"{count:,} rows hold NaN or infinite numbers: make them null"
                found |= {name: Finding("error", "not finite", at(name), detail)} if count else {}
    return found


def _of_feature(source: str, feature: Feature, sample: Sample, labels: list[SampledLabel]) -> Iterator[Finding]:
    where = at(feature.name)
    try:
        column = to_column(sample.frame[feature.name], feature, source, 0)
    except InputError:
        yield from _misread(source, feature, sample)
        return
    gone = missing(column)
    if gone.all():
        yield Finding("warning", "empty feature", where, f"missing in all {len(gone):,} rows read")
    elif not gone.any() and _is_constant(column):
        yield Finding("warning", "constant feature", where, f"the same value in all {len(gone):,} rows read")
    elif gone.mean() > MOSTLY_MISSING:
        yield Finding("warning", "mostly missing", where, f"missing in {gone.mean():.1%} of {len(gone):,} rows read")
    for label in labels:
        yield from _leaks(where, column, label)


def _misread(source: str, feature: Feature, sample: Sample) -> Iterator[Finding]:
    """Run by run, for the number of the row."""
    for run in sample.runs:
        try:
            to_column(run[feature.name], feature, source, int(run[ROW][0]))
        except InputError as error:
            yield from (
                of_mistake("wrong value" if ", row" in one.where else "wrong type", one) for one in error.mistakes
            )
            return


def _leaks(where: str, column: Column, label: SampledLabel) -> Iterator[Finding]:
    task = label.task
    power = tells(column, label.values, task.kind)
    if power > SUSPICIOUS:
        measure = "AUC" if task.kind is TaskKind.BINARY else "|Spearman|"
        yield Finding("warning", LEAK, where, f"alone it tells `{task.name}` almost perfectly: {measure} {power:.4f}")
        return
    gap = gap_tells(column, label.values) if task.kind is TaskKind.BINARY else None
    if gap is not None:
        state, rate = gap
        detail = f"where it is {state}, `{task.name}` is 1 in {rate:.1%} of rows: filled in only afterwards?"
        yield Finding("warning", LEAK, where, detail)


def _is_constant(column: Column) -> bool:
    """Of a column without missing values."""
    return CONSTANT[type(column)](column)


def _equal(values: NDArray[Any]) -> bool:
    return bool((values == values[:1]).all())


CONSTANT: dict[type[Column], Callable[[Any], bool]] = {
    Numbers: lambda column: _equal(column.values),
    Strings: lambda column: _equal(column.index),
    StringLists: lambda column: _equal(column.lengths) and _equal(column.flat.index),
    Vectors: lambda column: _equal(column.values),
    Histories: lambda column: False,  # noqa: ARG005
}
