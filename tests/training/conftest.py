"""What tests of training have in common."""

from pathlib import Path

import pytest
from rich.console import Console

from model.ranker import MultiTaskRanker
from training.health import ExpertHealth
from training.publish import Release
from training.run import Run, load_trained
from training.watching import TerminalWatcher


@pytest.fixture
def release(trained: tuple[Run, Path]) -> tuple[MultiTaskRanker, Release]:
    run, _ = trained
    with TerminalWatcher(Console(quiet=True), run.curves) as watcher:
        dataset = run.dataset(watcher)
    return load_trained(run, dataset), Release(run.config, run.preparation, dataset, {}, ExpertHealth())
