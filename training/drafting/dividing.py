"""Dividing: the split that a draft proposes, by time where the rows have one."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from training.drafting.keys import FoundKeys
from training.drafting.parts import Entry
from training.moments import Form, Moment

TRAIN_UNTIL, VALID_UNTIL = 0.8, 0.9
FITTING = ((0.65, 0.9), (0.75, 0.96))  # whole days read better than instants, where they divide this well


@dataclass(frozen=True, slots=True)
class Boundaries:
    """`below` are shares of the rows before `valid_from` and before `test_from`."""

    valid_from: Any
    test_from: Any
    below: tuple[float, float]

    @property
    def fit(self) -> bool:
        return all(low <= share <= high for share, (low, high) in zip(self.below, FITTING, strict=True))


def split_entry(frame: pl.DataFrame, moments: Sequence[Moment], keys: FoundKeys) -> Entry:
    for moment in moments:
        found = _boundaries(frame[moment.column], moment.form)
        if found is not None:
            first, last = found.below
            fields = {
                "by": "time",
                "column": moment.column,
                "valid_from": found.valid_from,
                "test_from": found.test_from,
            }
            return Entry(fields, f"{first:.0%} / {last - first:.0%} / {1 - last:.0%} of the rows read")
    column = keys.request or keys.user
    why = "no column tells when a row happened; with one, split by time: the future is what a ranker meets"
    return Entry({"by": "random", "column": column, "valid": 0.1, "test": 0.1, "seed": 0}, why)


def _boundaries(series: pl.Series, form: Form) -> Boundaries | None:
    if series.null_count():
        return None  # a row without a time is in no split
    by_day = _between(_days(series, form)) if form not in (Form.NUMBER, Form.CALENDAR) else None
    if by_day is not None and (by_day.fit or form in (Form.DATE, Form.ISO_TEXT)):
        return by_day
    if form in (Form.DATE, Form.ISO_TEXT):
        return None
    return _between(_exact(series))


def _days(series: pl.Series, form: Form) -> pl.Series:
    if form is Form.ISO_TEXT:
        return series.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    if form is Form.UNIX:
        return pl.from_epoch(series.cast(pl.Int64), "ms" if series.name.endswith("_ms") else "s").dt.date()
    return _exact(series).dt.date()


def _exact(series: pl.Series) -> pl.Series:
    """Times without a zone mean UTC, here as in a config."""
    if isinstance(series.dtype, pl.Datetime):
        utc = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if series.dtype.time_zone else series
        return utc.dt.cast_time_unit("us")
    return series


def _between(values: pl.Series) -> Boundaries | None:
    """Between distinct values, as near to the wanted shares as they allow; None for fewer than three of them."""
    counts = values.drop_nulls().value_counts(name="rows").sort(values.name)
    distinct, rows = counts[values.name], counts["rows"]
    if len(distinct) < 3:
        return None
    below = ((rows.cum_sum() - rows) / rows.sum()).to_list()
    test = min(range(2, len(below)), key=lambda at: abs(below[at] - VALID_UNTIL))
    valid = min(range(1, test), key=lambda at: abs(below[at] - TRAIN_UNTIL))
    return Boundaries(_plain(distinct[valid]), _plain(distinct[test]), (below[valid], below[test]))


def _plain(value: Any) -> Any:
    return value if isinstance(value, dt.date) else int(value)
