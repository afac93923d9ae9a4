"""Scores of a benchmark are the product's own."""

from pathlib import Path

import pytest
import torch
from rich.console import Console

from benchmarks.quality.scores import scores
from training.evaluation import compute_logits
from training.run import Run, evaluate, load_trained
from training.splits import TEST
from training.watching import TerminalWatcher


def test_they_are_what_evaluate_says(trained: tuple[Run, Path], tmp_path: Path) -> None:
    run = trained[0]
    with TerminalWatcher(Console(quiet=True), tmp_path) as watcher:
        dataset = run.dataset(watcher)
    ranker, split = load_trained(run, dataset), dataset.splits[TEST]
    transformed = ranker.calibration.transformed(torch.from_numpy(compute_logits(ranker, split))).numpy()
    found, expected = scores(run.config.tasks, split, transformed), evaluate(run, ranker, dataset)[TEST].tasks
    for task in run.config.tasks:
        names = ("auc", "gauc", "ece", "log_loss") if task.kind == "binary" else ("rmse_transformed", "spearman")
        for name in names:
            assert found[task.name][name] == pytest.approx(expected[task.name][name], abs=1e-5)
