"""Features: every column of three tables as a feature of some side, or a reason why it is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import TypeAdapter

from model.contract.features import AnyFeature
from model.contract.features.match import Match
from model.contract.mistakes import InputError
from model.contract.tasks import TaskKind
from training.column_names import is_feature_name, words
from training.columns import to_column
from training.drafting.keys import FoundKeys
from training.drafting.kinds import CODE_WORDS, Kind, kind_of
from training.drafting.parts import Entry, Guesses, LeftOut
from training.drafting.positions import is_device
from training.drafting.sides import Groups, side_of
from training.drafting.tables import SampledTable, Tables
from training.leakage import SUSPICIOUS, tells

FEWEST_ROWS = 20  # below, every column looks like a name of its row
NEARLY_ALL, MANY = 0.9, 0.2
MISNAMED = "not the name of a feature: rename it to letters, digits and underscores"
ID_MIN_COUNT = 5
_feature: TypeAdapter[AnyFeature] = TypeAdapter(AnyFeature)


@dataclass(frozen=True, slots=True)
class Label:
    """A task's label in the sample, NaN where it is not observed."""

    task: str
    kind: TaskKind
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judge:
    """What columns of the impressions are judged by."""

    groups: Groups
    labels: Sequence[Label]


def find_features(tables: Tables, keys: FoundKeys, judge: Judge, taken: Mapping[str, str]) -> Guesses:
    """`taken` are columns of the impressions that have another role, and which."""
    guesses = Guesses()
    frame = tables.impressions.frame
    for key, side, what in ((keys.video, "candidate", "video"), (keys.user, "user", "user")):
        guesses.add(key, lambda: _id(frame[key], side, what))  # noqa: B023 (called at once)
    for series in frame:
        if series.name in taken:
            guesses.left_out[series.name] = taken[series.name]
        elif series.name not in keys.columns:
            guesses.add(series.name, lambda: _of_impressions(series, judge))  # noqa: B023
    for table, key, side in ((tables.users, keys.user, "user"), (tables.videos, keys.video, "candidate")):
        for series in _own_columns(table, key, frame):
            guesses.add(series.name, lambda: _of_entities(series, side, guesses.names))  # noqa: B023
    return guesses


def _id(series: pl.Series, side: str, what: str) -> Entry:
    if not is_feature_name(series.name):
        raise LeftOut(MISNAMED)
    options = {"kind": "category", "side": side, "min_count": ID_MIN_COUNT}
    return Entry({"name": series.name, **options}, f"{series.n_unique():,} {what}s in the rows read", series.n_unique())


def _own_columns(table: SampledTable | None, key: str, impressions: pl.DataFrame) -> list[pl.Series]:
    """Impressions come first: of a column that is in both, the table of users or videos is not asked."""
    if table is None:
        return []
    return [series for series in table.frame if series.name != key and series.name not in impressions.columns]


def _of_impressions(series: pl.Series, judge: Judge) -> Entry:
    kind = _kind(series)
    if _names_rows(series, kind):
        raise LeftOut(f"a name of the row: {series.n_unique():,} different values in {len(series):,} rows")
    if kind.options["kind"] == "history":
        side, why = "user", kind.why
    elif is_device(series.name) and kind.options["kind"] == "category":
        side, why = "context", "a user has several over time"
    else:
        side, why = side_of(judge.groups, series.name)
    one_of_many = kind.distinct > MANY * len(series) and len(series) >= FEWEST_ROWS
    if side == "context" and one_of_many:
        raise LeftOut(f"{kind.distinct:,} different values, too many to learn, and of no user and no video")
    entry = _entry(series, side, kind, why)
    _refuse_leaks(series, entry, judge.labels)
    return entry


def _of_entities(series: pl.Series, side: str, names: set[str]) -> Entry:
    kind = _kind(series)
    if series.name in names:
        raise LeftOut("in the table of users too: a name can be one feature only")
    if kind.distinct > NEARLY_ALL * len(series) and len(series) >= FEWEST_ROWS:
        raise LeftOut(f"almost another value in each row: says no more than the id of the {side}")
    entry = _entry(series, side, kind, kind.why)
    _refuse_leaks(series, entry, [])
    return entry


def _kind(series: pl.Series) -> Kind:
    if not is_feature_name(series.name):
        raise LeftOut(MISNAMED)
    return kind_of(series)


def _entry(series: pl.Series, side: str, kind: Kind, why: str) -> Entry:
    options = dict(kind.options)
    fields = {"name": series.name, "kind": options.pop("kind"), "side": side, **options}
    missing = series.null_count() / len(series)
    gaps = f"; missing in {missing:.0%}" if missing >= 0.01 else ""
    reason = why if why == kind.why else f"{why}; {kind.why}"
    return Entry(fields, reason + gaps, kind.distinct)


def _names_rows(series: pl.Series, kind: Kind) -> bool:
    """Nearly unique text or codes, or a counter of rows."""
    if len(series) < FEWEST_ROWS or series.dtype.is_nested() or series.dtype.is_float():
        return False
    distinct = series.n_unique()
    counter = series.dtype.is_integer() and distinct == len(series) and series.is_sorted()
    code = kind.distinct or CODE_WORDS.intersection(words(series.name)[-1:])
    return bool(counter or (code and distinct > NEARLY_ALL * len(series)))


def _refuse_leaks(series: pl.Series, entry: Entry, labels: Sequence[Label]) -> None:
    """Also refuses what training could not read."""
    feature = _feature.validate_python(entry.fields)
    assert not isinstance(feature, Match)
    try:
        column = to_column(series, feature, "", 0)
    except InputError as error:
        raise LeftOut(f"training could not read it: {error.mistakes[0].found}") from error
    for label in labels:
        power = tells(column, label.values, label.kind)
        if power > SUSPICIOUS:
            raise LeftOut(f"a leakage suspect: alone it tells `{label.task}` almost perfectly ({power:.3f} of 1)")
