"""Logged: what the log itself says of each impression that a replay needs: its position, its propensity."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from model.contract.features.interface import Side
from model.contract.mistakes import mistake
from training.dataset import SplitData
from training.readers.interface import told_as_unreadable
from training.replay.lists import Array, Bools
from training.run import Run


@dataclass(frozen=True, slots=True)
class Logged:
    """`[row of split]` each, NaN where the log is silent.

    A propensity is the probability, under the policy that made the log, that this candidate stood at this position,
    given the request and which candidates were shown. A request has them all, or none: those without are of no use to
    off-policy estimates, and are left out of them.
    """

    positions: Array
    propensities: Array

    @property
    def has_positions(self) -> bool:
        return bool(self.placed.any())

    @property
    def placed(self) -> Bools:
        return np.isfinite(self.positions)

    @property
    def drawn(self) -> Bools:
        return np.isfinite(self.propensities)


def read_logged(run: Run, split: SplitData) -> Logged:
    """Raises InputError for a column of propensities that is not there, holds what is no probability above 0, or covers
    a part of a request; and for requests with propensities that show two candidates at one position.
    """
    table, column = run.preparation.table, run.config.data.propensity
    if column is not None and column not in table.impressions.collect_schema():
        raise mistake(table.source, f"a column `{column}` (data.propensity)", "none of that name")
    placed = [one.name for one in run.config.feature_schema.of_sides(Side.IMPRESSION)]
    with told_as_unreadable(table.source):
        names = dict.fromkeys([*placed, *([column] if column else [])])
        frame = table.impressions.select(*names).collect()
    frame = frame[np.asarray(split.rows)] if names else frame
    unknown = np.full(split.num_rows, np.nan)
    # Without a request's id its impressions are not known to be one list.
    found = [_whole_numbers(frame[name]) for name in placed] if run.config.data.keys.request else []
    positions = next((one for one in found if one is not None), unknown)
    if column is None:
        return Logged(positions, unknown)
    logged = Logged(positions, _propensities(frame[column], split, f"{table.source}: column `{column}`"))
    _check_whole(logged, split, table.source)
    return logged


def _whole_numbers(series: pl.Series) -> Array | None:
    """None where they are something else. A category of a CSV file is text, even where it is a number."""
    if not (series.dtype.is_integer() or series.dtype == pl.String):
        return None
    numbers = series.cast(pl.Int64, strict=False)
    if numbers.null_count() > series.null_count():
        return None
    return numbers.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _propensities(series: pl.Series, split: SplitData, where: str) -> Array:
    if not (series.dtype.is_numeric() or series.dtype == pl.Null):
        raise mistake(where, "probabilities", f"a column of type {series.dtype}")
    values = series.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    wrong = series.is_not_null().to_numpy() & ~((values > 0) & (values <= 1))
    if wrong.any():
        row = int(np.argmax(wrong))
        expected = "a probability above 0, for it happened, and at most 1"
        raise mistake(f"{where}, row {split.rows[row]}", expected, f"{values[row]:g}")
    return values


def _check_whole(logged: Logged, split: SplitData, source: str) -> None:
    """That a request has all of its propensities, each at a place of its own."""
    _, group = np.unique(split.groups, return_inverse=True)
    covered = np.bincount(group[logged.drawn], minlength=int(group.max()) + 1)[group] > 0
    _refuse(covered & ~logged.drawn, split, source, "a propensity, as others of its request have", "none")
    _refuse(covered & ~logged.placed, split, source, "a position, for it has a propensity", "none")
    order = np.lexsort((logged.positions, group))
    again = np.append(False, (np.diff(group[order]) == 0) & (np.diff(logged.positions[order]) == 0))
    twice = np.zeros(split.num_rows, dtype=np.bool_)
    twice[order] = again
    _refuse(covered & twice, split, source, "a position of its own, for it has a propensity", "that of another")


def _refuse(wrong: Bools, split: SplitData, source: str, expected: str, found: str) -> None:
    if wrong.any():
        raise mistake(f"{source}: row {split.rows[int(np.argmax(wrong))]}", expected, found)
