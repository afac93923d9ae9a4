"""Fits made by several processes are those that one would have made, in their order; none is made twice."""

import io
import pickle
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from model.contract.mistakes import InputError
from training.comparison.arms import twins
from training.comparison.fits import Fit
from training.comparison.schedule import measure_all
from training.config import parse
from training.fits_bar import FitsBar
from training.run import Run


@pytest.fixture
def some(raw_config: dict[str, Any], trained: tuple[Run, Path], tmp_path: Path) -> list[Fit]:
    raw_config["training"] |= {"max_epochs": 1}
    arms = list(twins(parse(raw_config, {}, "config")))[2:]
    return [Fit(arm, 0, trained[0].encoded, tmp_path) for arm in arms]


def quiet() -> FitsBar:
    return FitsBar(Console(file=io.StringIO()))


def test_two_workers_find_what_one_finds(some: list[Fit], tmp_path: Path) -> None:
    with quiet() as bar:
        alone = measure_all(some, 1, bar)
        written = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
        assert measure_all(some, 2, bar) == alone
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == written
    for path in written:
        path.unlink()
    with quiet() as bar:
        together = measure_all(some, 2, bar)
    assert [one.figures for one in together] == [one.figures for one in alone]
    assert bar.num_done == 2


def test_a_mistake_survives_the_way_between_processes(some: list[Fit], tmp_path: Path) -> None:
    some[0].checkpoint.write_bytes(b"nonsense")
    with quiet() as bar, pytest.raises(InputError) as found:
        measure_all(some, 1, bar)
    assert str(pickle.loads(pickle.dumps(found.value))) == str(found.value)
    assert str(found.value).startswith(f"single (like), seed 0: {some[0].checkpoint}: expected a checkpoint")
