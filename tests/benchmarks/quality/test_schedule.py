"""The schedule of a benchmark: nothing is trained twice, and nothing old is passed off as new."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.quality import watchnext
from benchmarks.quality.arm import Arm, Array, Job
from benchmarks.quality.schedule import Fit, Workers, measure_all
from training.config import RunConfig
from training.dataset import prepare
from training.fits_bar import FitsBar
from training.run import Run

WORKERS = Workers(count=1, num_threads=1)


def refuse(job: Job) -> Array:
    raise AssertionError("trained again")


@pytest.fixture
def fit(config: RunConfig, tmp_path: Path) -> Fit:
    run = Run.of(config, tmp_path)
    return Fit(Arm("shipped", watchnext.predict, config, "as it stands"), 3, run.encoded)


def test_what_is_known_is_not_done_again(fit: Fit, config: RunConfig, tmp_path: Path) -> None:
    prepare(Run.of(config, tmp_path).preparation, fit.encoded, lambda *_: None)
    same = replace(fit, arm=replace(fit.arm, name="the same"))
    out = tmp_path / "out.json"
    with FitsBar(Console(quiet=True)) as bar:
        first, second = measure_all([fit, same], WORKERS, out, bar)
        assert first == second and 0.5 < first["click"]["auc"] < 1
        assert list(json.loads(out.read_text())) == [fit.key]
        again = replace(fit, arm=replace(fit.arm, predict=refuse))
        assert measure_all([again], WORKERS, out, bar) == [first]


def test_whatever_decides_a_result_changes_its_key(fit: Fit) -> None:
    others = [
        replace(fit, seed=4),
        replace(fit, encoded=fit.encoded.with_name("other")),
        replace(fit, arm=replace(fit.arm, content="another config")),
    ]
    assert len({fit.key, *(one.key for one in others)}) == 4
