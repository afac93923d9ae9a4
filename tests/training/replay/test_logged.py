"""What a replay reads from the log: positions where there are some, propensities that are probabilities."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from rich.console import Console

from model.contract.mistakes import InputError
from training.dataset import SplitData
from training.replay.logged import Logged, read_logged
from training.run import Run
from training.splits import TEST
from training.watching import TerminalWatcher

POSITION, PROPENSITY = pl.col("position"), pl.col("propensity")
AT_RANDOM = PROPENSITY.is_not_null()


@pytest.fixture(scope="module")
def split(trained: tuple[Run, Path], tmp_path_factory: pytest.TempPathFactory) -> SplitData:
    with TerminalWatcher(Console(quiet=True), tmp_path_factory.mktemp("curves")) as watcher:
        return trained[0].dataset(watcher).splits[TEST]


def read(run: Run, split: SplitData, *changed: pl.Expr, without: tuple[str, ...] = ()) -> Logged:
    """Of a log of which some columns were changed."""
    table = run.preparation.table
    changed_table = replace(table, impressions=table.impressions.with_columns(*changed).drop(without))
    return read_logged(replace(run, preparation=replace(run.preparation, table=changed_table)), split)


def first(condition: pl.Expr) -> pl.Expr:
    """The first row of the last day, which is in test, for which it holds."""
    last = condition & (pl.col("date") == pl.col("date").max())
    return pl.int_range(pl.len()) == pl.arg_where(last).first()


def test_positions_and_propensities_are_those_of_the_rows_of_the_split(
    trained: tuple[Run, Path], split: SplitData
) -> None:
    logged = read(trained[0], split)
    rows = trained[0].preparation.table.impressions.collect()[np.asarray(split.rows)]
    assert logged.positions.tolist() == rows["position"].to_list()
    assert logged.drawn.tolist() == rows["propensity"].is_not_null().to_list()
    assert set(logged.propensities[logged.drawn]) == {1 / 12}
    assert 0.05 < logged.drawn.mean() < 0.2


def test_positions_of_a_csv_file_are_text_and_still_numbers(trained: tuple[Run, Path], split: SplitData) -> None:
    assert read(trained[0], split, POSITION.cast(pl.String)).positions.max() == 12


@pytest.mark.parametrize("no_position", [pl.lit("top").alias("position"), pl.lit(None).alias("position")])
def test_what_is_no_position_leaves_the_order_unknown(
    trained: tuple[Run, Path], split: SplitData, no_position: pl.Expr
) -> None:
    run = trained[0]
    config = run.config.model_copy(update={"data": run.config.data.model_copy(update={"propensity": None})})
    assert not read(replace(run, config=config), split, no_position).has_positions


def test_without_the_id_of_requests_there_is_no_order(trained: tuple[Run, Path], split: SplitData) -> None:
    run = trained[0]
    keys = run.config.data.keys.model_copy(update={"request": None})
    data = run.config.data.model_copy(update={"propensity": None, "keys": keys})
    assert not read(replace(run, config=run.config.model_copy(update={"data": data})), split).has_positions


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (pl.when(first(AT_RANDOM)).then(0.0).otherwise(PROPENSITY), "expected a probability above 0"),
        (pl.when(first(AT_RANDOM)).then(1.5).otherwise(PROPENSITY), "at most 1, found 1.5"),
        (pl.when(first(AT_RANDOM)).then(float("nan")).otherwise(PROPENSITY), "found nan"),
        (pl.when(~first(AT_RANDOM)).then(PROPENSITY), "expected a propensity, as others of its request have"),
        (PROPENSITY.cast(pl.String), "expected probabilities, found a column of type String"),
        (pl.when(~first(AT_RANDOM)).then(POSITION).alias("position"), "expected a position, for it has a propensity"),
        (pl.when(AT_RANDOM).then(3).otherwise(POSITION).alias("position"), "expected a position of its own"),
    ],
)
def test_wrong_propensities_are_refused_with_their_row(
    trained: tuple[Run, Path], split: SplitData, wrong: pl.Expr, message: str
) -> None:
    with pytest.raises(InputError) as raised:
        read(trained[0], split, wrong.alias("propensity") if wrong.meta.output_name() != "position" else wrong)
    assert message in str(raised.value) and len(raised.value.mistakes) == 1
    assert "row " in str(raised.value) or "String" in str(raised.value)


def test_a_column_that_is_not_there_is_told(trained: tuple[Run, Path], split: SplitData) -> None:
    with pytest.raises(InputError, match=r"expected a column `propensity` \(data.propensity\), found none"):
        read(trained[0], split, without=("propensity",))
