"""A fit is made once, goes on where it stopped, and measures a task alike whatever stands beside it."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.contract.mistakes import InputError
from training.comparison import fits
from training.comparison.arms import Arm, sharing_arms, twins
from training.comparison.fits import Fit, of_tasks
from training.comparison.schedule import Silent
from training.config import RunConfig, parse
from training.dataset import open_prepared
from training.run import Run


class Interrupting(Silent):
    """Pulls the plug after some steps."""

    def __init__(self, after: int) -> None:
        self.left = after

    def step(self, *_: Any) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


@pytest.fixture
def encoded(trained: tuple[Run, Path]) -> Path:
    return trained[0].encoded


@pytest.fixture
def mmoe(raw_config: dict[str, Any]) -> Arm:
    raw_config["training"] |= {"max_epochs": 1, "checkpoint_steps": 5}
    [arm] = sharing_arms(parse(raw_config, {}, "config"), ["mmoe"], match_parameters=False)
    return arm


def test_what_was_measured_is_kept_and_the_checkpoint_is_not(mmoe: Arm, encoded: Path, tmp_path: Path) -> None:
    fit = Fit(mmoe, 0, encoded, tmp_path)
    assert fits.measured_before(fit) is None
    found = fits.measure(fit, Silent())
    assert fits.measured_before(fit) == found
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]
    names = {"click/auc", "watch_time/rmse_transformed", "like/auc", "rating/rmse_transformed"}
    assert {split: set(figures) for split, figures in found.figures.items()} == {"valid": names, "test": names}
    auc = found.figures["test"]["click/auc"]
    assert auc.value is not None and abs(np.mean(auc.replicates) - auc.value) < np.std(auc.replicates)
    assert found.parameters > 0 and found.multiplications > 0 and found.seconds is not None


def test_an_interrupted_fit_goes_on_to_the_same_figures(mmoe: Arm, encoded: Path, tmp_path: Path) -> None:
    unbroken = fits.measure(Fit(mmoe, 0, encoded, tmp_path / "a"), Silent())
    broken = Fit(mmoe, 0, encoded, tmp_path / "b")
    with pytest.raises(KeyboardInterrupt):
        fits.measure(broken, Interrupting(after=12))
    assert broken.checkpoint.is_file()
    seen = Interrupting(after=10_000)
    again = fits.measure(broken, seen)
    assert again.figures == unbroken.figures
    steps = math.ceil(open_prepared(mmoe.config.feature_schema, encoded).splits["train"].num_rows / 512)
    assert 10_000 - seen.left < steps


def test_the_same_labels_are_measured_on_the_same_draws_of_users(config: RunConfig, encoded: Path) -> None:
    dataset = open_prepared(config.feature_schema, encoded)
    alone = of_tasks(dataset, (2,))
    assert alone.scales == dataset.scales[2:3]
    for name, split in dataset.splits.items():
        assert np.array_equal(alone.splits[name].values, split.values[:, 2:3])
        assert np.array_equal(alone.splits[name].observed, split.observed[:, 2:3])
        assert alone.splits[name].arrays is split.arrays


def test_a_fit_is_made_again_when_what_decides_it_has_changed(config: RunConfig, encoded: Path, tmp_path: Path) -> None:
    def key(changed: RunConfig, seed: int = 0, folder: Path = encoded) -> str:
        return Fit(Arm("mmoe", changed, (0, 1, 2, 3)), seed, folder, tmp_path).key

    def with_training(**changes: Any) -> RunConfig:
        return config.model_copy(update={"training": config.training.model_copy(update=changes)})

    first = key(config)
    same = [config.model_copy(update={"name": "other", "policies": {}}), with_training(checkpoint_steps=7, seed=5)]
    assert {key(one) for one in same} == {first}
    others = [key(with_training(max_epochs=9)), key(with_training(learning_rate=0.5)), key(config, seed=1)]
    others += [key(config, folder=tmp_path / "other"), key(next(twins(config)).config)]
    assert first not in others and len(set(others)) == len(others)


def test_a_fit_that_diverges_is_named(mmoe: Arm, encoded: Path, tmp_path: Path) -> None:
    hot = mmoe.config.model_copy(update={"training": mmoe.config.training.model_copy(update={"learning_rate": 1e9})})
    with pytest.raises(InputError, match=r"^mmoe, seed 3: training, epoch 1"):
        fits.measure(Fit(dataclasses.replace(mmoe, config=hot), 3, encoded, tmp_path), Silent())
