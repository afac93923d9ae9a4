"""Moments: which columns of a log tell when an impression happened."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import polars as pl

from training.column_names import words
from training.splits import ISO_DATE

TIME_WORDS = frozenset({"time", "timestamp", "ts", "date", "datetime", "day", "epoch", "unixtime", "at", "when", "dt"})
# Of a user or a video, not of the impression.
OTHER_EVENTS = frozenset(
    {
        *("upload", "uploaded", "birth", "born", "publish", "published", "release", "released", "signup", "register"),
        *("registered", "registration", "join", "joined", "update", "updated", "first", "last", "expire", "expiry"),
    }
)
UNIX_S, UNIX_MS = (10**9 // 2, 10**10), (10**12 // 2, 10**13)
UNIX_FINER = (10**15 // 2, 10**19)  # micro- or nanoseconds
CALENDAR = (19_700_101, 21_001_231)


class Form(IntEnum):
    """How a column says it; the lower, the easier to split by."""

    DATE = 0
    DATETIME = 1
    UNIX = 2  # whole numbers in a column whose name ends in its unit
    ISO_TEXT = 3
    NUMBER = 4
    CALENDAR = 5  # 20220504


INSTANTS = (Form.DATETIME, Form.UNIX, Form.NUMBER)  # finer than a day


@dataclass(frozen=True, slots=True)
class Moment:
    column: str
    form: Form


def find_moments(frame: pl.DataFrame) -> list[Moment]:
    """Columns that hold the time of each row of `frame`, the easiest to split by first."""
    return sorted(_moments(frame), key=lambda one: one.form)


def _moments(frame: pl.DataFrame) -> Iterator[Moment]:
    for series in frame:
        known = series.drop_nulls()
        if not len(known) or OTHER_EVENTS.intersection(words(series.name)):
            continue
        form = _form(known)
        if form is not None:
            yield Moment(series.name, form)


def _form(known: pl.Series) -> Form | None:
    kind = known.dtype
    if kind == pl.Date:
        return Form.DATE
    if isinstance(kind, pl.Datetime):
        return Form.DATETIME
    if kind == pl.String:
        return Form.ISO_TEXT if known.str.contains(ISO_DATE).all() else None
    if kind.is_integer() and TIME_WORDS.intersection(words(known.name)):
        return _of_numbers(known)
    return None


def _of_numbers(known: pl.Series) -> Form | None:
    values = known.cast(pl.Float64).to_numpy()
    low, high = float(values.min()), float(values.max())
    for ending, (first, last) in (("_ms", UNIX_MS), ("_s", UNIX_S)):
        if known.name.endswith(ending) and first <= low and high <= last:
            return Form.UNIX
    if CALENDAR[0] <= low and high <= CALENDAR[1]:
        return Form.CALENDAR
    unix = (UNIX_S, UNIX_MS, UNIX_FINER)
    return Form.NUMBER if any(first <= low and high <= last for first, last in unix) else None
