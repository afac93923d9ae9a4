"""Splits: which impressions train, which choose (valid), which are reported on (test)."""

import datetime as dt
from abc import ABC, abstractmethod
from typing import Annotated, Literal, Self

import polars as pl
from pydantic import Field, model_validator

from model.contract.mistakes import Strict, mistake

TRAIN, VALID, TEST = "train", "valid", "test"
NAMES = (TRAIN, VALID, TEST)
ISO_DATE = r"^(\d{4}-\d{2}-\d{2})"


class Split(ABC, Strict):
    column: str

    @abstractmethod
    def assign(self, dtype: pl.DataType) -> pl.Expr:
        """Index into NAMES for each row, from the values of `column`, which are of type `dtype`; null where unknown."""


class TimeSplit(Split):
    """Rows before `valid_from` train, rows from `test_from` on test. A date means its first moment in UTC.

    Dates compare with columns of dates, of times, of text that begins with a date (2022-05-04T10:00:00), and of whole
    numbers named `..._ms` or `..._s` (Unix time).
    """

    by: Literal["time"] = "time"
    valid_from: dt.date | dt.datetime | int | float
    test_from: dt.date | dt.datetime | int | float

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if type(self.valid_from) is not type(self.test_from) or not self.valid_from < self.test_from:  # type: ignore[operator]
            raise ValueError("`valid_from` before `test_from`, both of one type")
        return self

    def assign(self, dtype: pl.DataType) -> pl.Expr:
        column = pl.col(self.column)
        if dtype == pl.String:  # of ISO dates the alphabetical order is the order in time; other text is no moment
            column = column.str.extract(ISO_DATE)
        if dtype.is_float():
            column = column.fill_nan(None)  # which would count as later than everything
        valid = (column >= self._comparable(self.valid_from, dtype)).cast(pl.Int8)
        return valid + (column >= self._comparable(self.test_from, dtype)).cast(pl.Int8)

    def _comparable(self, moment: dt.date | dt.datetime | int | float, dtype: pl.DataType) -> pl.Expr:
        if dtype.is_numeric() and isinstance(moment, int | float):
            return pl.lit(moment)
        if dtype == pl.Date and isinstance(moment, dt.date) and not isinstance(moment, dt.datetime):
            return pl.lit(moment)
        if dtype == pl.String and isinstance(moment, dt.date) and not isinstance(moment, dt.datetime):
            return pl.lit(moment.isoformat())
        if isinstance(moment, dt.date):
            time = moment if isinstance(moment, dt.datetime) else dt.datetime(moment.year, moment.month, moment.day)
            time = time.replace(tzinfo=time.tzinfo or dt.UTC).astimezone(dt.UTC)
            if isinstance(dtype, pl.Datetime):
                zone = dtype.time_zone
                return pl.lit(time).dt.convert_time_zone(zone) if zone else pl.lit(time.replace(tzinfo=None))
            for ending, per_second in (("_ms", 1000), ("_s", 1)):
                if dtype.is_integer() and self.column.endswith(ending):
                    return pl.lit(int(time.timestamp() * per_second))
        expected = f"a value comparable with column `{self.column}`, of type {dtype}"
        raise mistake("data.split", expected, str(moment))


class RandomSplit(Split):
    """By a hash of `column` (a user, a request), so that rows with one value stay together."""

    by: Literal["random"] = "random"
    valid: float = Field(default=0.1, gt=0, lt=1)
    test: float = Field(default=0.1, gt=0, lt=1)
    seed: int = Field(default=0, ge=0, lt=2**63)

    @model_validator(mode="after")
    def _leaves_some(self) -> Self:
        if self.valid + self.test >= 1:
            raise ValueError("`valid` + `test` below 1, so that something is left to train on")
        return self

    def assign(self, dtype: pl.DataType) -> pl.Expr:  # noqa: ARG002
        column = pl.col(self.column).cast(pl.String)
        # A missing value hashes like any other: all rows without one would end up in the same split.
        share = pl.when(column.is_not_null()).then((column.hash(self.seed) % 1_000_000) / 1_000_000)
        return (share >= 1 - self.valid - self.test).cast(pl.Int8) + (share >= 1 - self.test).cast(pl.Int8)


AnySplit = Annotated[TimeSplit | RandomSplit, Field(discriminator="by")]
