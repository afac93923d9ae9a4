"""Splits by time and by hash."""

import datetime as dt

import polars as pl
import pytest
from pydantic import ValidationError

from model.contract.mistakes import InputError
from training.splits import RandomSplit, TimeSplit

DAYS = [dt.date(2026, 3, day) for day in range(1, 7)]


def assigned(split: TimeSplit | RandomSplit, column: pl.Series) -> list[int]:
    return pl.DataFrame({split.column: column}).select(split.assign(column.dtype)).to_series().to_list()


@pytest.mark.parametrize(
    "column",
    [
        pl.Series("when", DAYS),
        pl.Series("when", DAYS).cast(pl.Datetime),
        pl.Series("when", DAYS).cast(pl.Datetime).dt.replace_time_zone("UTC"),
        pl.Series("when", DAYS).cast(pl.Datetime).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"),
        pl.Series("when", [f"{day}T23:59:00" for day in DAYS]),
        pl.Series("when_ms", DAYS).cast(pl.Datetime).dt.epoch("ms"),
        pl.Series("when_s", DAYS).cast(pl.Datetime).dt.epoch("s"),
    ],
    ids=lambda column: f"{column.name} {column.dtype}",
)
def test_a_date_means_its_first_moment_whatever_the_column_holds(column: pl.Series) -> None:
    split = TimeSplit(column=column.name, valid_from=dt.date(2026, 3, 4), test_from=dt.date(2026, 3, 6))
    assert assigned(split, column) == [0, 0, 0, 1, 1, 2]


def test_a_moment_may_have_its_own_time_zone() -> None:
    column = pl.Series("t_s", [1_772_000_000, 1_772_000_001]).cast(pl.Int64)
    china = dt.timezone(dt.timedelta(hours=8))
    moment = dt.datetime.fromtimestamp(1_772_000_001, china)
    split = TimeSplit(column="t_s", valid_from=moment, test_from=moment + dt.timedelta(days=1))
    assert assigned(split, column) == [0, 1]


def test_what_cannot_be_compared_is_refused() -> None:
    split = TimeSplit(column="when", valid_from=dt.date(2026, 3, 4), test_from=dt.date(2026, 3, 6))
    with pytest.raises(InputError, match="comparable with column `when`, of type Time"):
        assigned(split, pl.Series("when", [dt.time(4)]))
    with pytest.raises(ValidationError, match="`valid_from` before `test_from`"):
        TimeSplit(column="t", valid_from=5, test_from=5)


def test_a_random_split_keeps_equal_values_together_in_about_the_asked_shares() -> None:
    users = pl.Series("user", [f"u{number % 5000}" for number in range(20_000)])
    split = RandomSplit(column="user", valid=0.2, test=0.1, seed=3)
    found = pl.DataFrame({"user": users, "split": assigned(split, users)})
    assert found.group_by("user").agg(pl.col("split").n_unique())["split"].max() == 1
    shares = found["split"].value_counts(normalize=True).sort("split")["proportion"].to_list()
    assert shares == pytest.approx([0.7, 0.2, 0.1], abs=0.03)
    assert assigned(split, pl.Series("user", ["a", None])) == [assigned(split, pl.Series("user", ["a"]))[0], None]
    other = assigned(split.model_copy(update={"seed": 4}), users)
    assert other != found["split"].to_list()


def test_text_that_is_no_date_is_in_no_split() -> None:
    split = TimeSplit(column="when", valid_from=dt.date(2026, 3, 2), test_from=dt.date(2026, 3, 3))
    assert assigned(split, pl.Series("when", ["2026-03-01", "2026-03-02 10:00", "yesterday", None])) == [
        0,
        1,
        None,
        None,
    ]
