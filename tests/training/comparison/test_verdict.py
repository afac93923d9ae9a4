"""The verdict says what the figures say: chosen on validation, confirmed on test or not."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from training.comparison.arms import SINGLE, Arm, restricted, sharing_arms, twins
from training.comparison.fits import Fit, Measured
from training.comparison.measures import Figure, measures_of
from training.comparison.results import Results
from training.comparison.verdict import best_together, set_apart, verdict
from training.config import RunConfig

SEEDS = (0, 1, 2)
NOISE = 0.001
TASKS = ("click", "watch_time", "like", "rating")
Levels = Mapping[str, float]  # by task, in its metric's own direction: of AUC more is better, of RMSE less
ALONE = {"click": 0.7, "watch_time": 1.5, "like": 0.8, "rating": 1.0}


@pytest.fixture
def arms(config: RunConfig) -> dict[str, Arm]:
    return {arm.name: arm for arm in sharing_arms(config, ["mmoe", "shared_bottom", "independent"], False)}


def results(config: RunConfig, levels: Mapping[str, tuple[Arm, Levels, Levels]]) -> Results:
    """Of every arm what it is worth on validation and on test, give or take a little noise by seed and by draw."""
    random = np.random.default_rng(0)

    def figure(level: float) -> Figure:
        value = level + NOISE * random.normal()
        return Figure(value=value, replicates=tuple(value + NOISE * random.normal(size=20)))

    def measured(arm: Arm, valid: Levels, test: Levels) -> Measured:
        splits = {"valid": valid, "test": test}
        names = {one.name: one.task for one in measures_of(arm.config)}
        found = {split: {name: figure(some[task]) for name, task in names.items()} for split, some in splits.items()}
        return Measured(figures=found, parameters=10, multiplications=5, seconds=1.0)

    every = [(twin, ALONE, ALONE) for twin in twins(config)] + list(levels.values())
    fits = [
        (Fit(arm, seed, Path(), Path()), measured(arm, valid, test)) for arm, valid, test in every for seed in SEEDS
    ]
    return Results(measures_of(config), SEEDS, fits)


def better(**gains: float) -> Levels:
    """The twins' figures, better by so much whatever the direction."""
    signs = {"click": 1, "watch_time": -1, "like": 1, "rating": -1}
    return {task: ALONE[task] + signs[task] * gains.get(task, 0.0) for task in TASKS}


def test_who_gains_and_who_loses_is_said_of_test(config: RunConfig, arms: dict[str, Arm]) -> None:
    levels = better(click=0.05, rating=-0.05)
    [of_arm, *_] = verdict(results(config, {"mmoe": (arms["mmoe"], better(), levels)}))
    amount = r"0\.0\d+ \(95%: 0\.0\d+ to 0\.0\d+\)"
    parts = f"`click` gains {amount}; `rating` loses {amount}; no difference shown for `watch_time` and `like`"
    assert re.fullmatch(f"`mmoe` against single tasks: {parts}.", of_arm)


def test_the_best_is_chosen_on_validation(config: RunConfig, arms: dict[str, Arm]) -> None:
    found = results(
        config,
        {
            "mmoe": (arms["mmoe"], better(click=0.1), better()),
            "shared_bottom": (arms["shared_bottom"], better(), better(click=0.2)),
            "independent": (arms["independent"], better(click=0.3), better(click=0.3)),  # shares nothing
        },
    )
    assert best_together(found) == "mmoe"
    assert verdict(found)[-1] == (
        "Train `click`, `watch_time`, `like` and `rating` together, with `mmoe`: "
        "on validation none does clearly better alone."
    )


def test_a_task_that_loses_is_set_apart_and_the_others_are_not(config: RunConfig, arms: dict[str, Arm]) -> None:
    levels = better(watch_time=-0.1, like=0.1)
    together = {"mmoe": (arms["mmoe"], levels, levels)}
    found = results(config, together)
    assert set_apart(found, "mmoe") == ["watch_time"]
    assert verdict(found)[1:] == [
        "Train `watch_time` apart: on validation it does clearly better alone than in `mmoe`, and so it does on test.",
        "Serve `click`, `like` and `rating` from `mmoe` all the same, with `watch_time` left in it.",
    ]
    without = restricted(arms["mmoe"], "mmoe without watch_time", (0, 2, 3))
    more = better(click=0.1, like=0.1)
    found = results(config, together | {"without": (without, more, more)})
    assert verdict(found)[-1].startswith("Train `click`, `like` and `rating` in a network of their own")
    assert best_together(found) == "mmoe"


def test_what_test_does_not_confirm_is_said(config: RunConfig, arms: dict[str, Arm]) -> None:
    levels = better(click=-0.1, watch_time=-0.001, like=-0.001, rating=-0.001)
    found = verdict(results(config, {"mmoe": (arms["mmoe"], levels, better())}))
    assert found[1].startswith("Train `click` apart") and found[1].endswith("which test does not confirm.")
    assert found[2] == "What is left does not gain from sharing either: train `watch_time`, `like` and `rating` alone."


def test_where_every_task_loses_nothing_is_left_to_share(config: RunConfig, arms: dict[str, Arm]) -> None:
    worse = better(click=-0.1, watch_time=-0.1, like=-0.1, rating=-0.1)
    found = verdict(results(config, {"mmoe": (arms["mmoe"], worse, worse)}))
    assert [sentence[: len("Train `x")] for sentence in found[1:]] == ["Train `c", "Train `w", "Train `l", "Train `r"]


def test_networks_that_share_nothing_say_nothing_of_sharing(config: RunConfig, arms: dict[str, Arm]) -> None:
    found = results(config, {"independent": (arms["independent"], better(click=0.1), better())})
    assert verdict(found)[-1].startswith("None of these architectures shares anything")


def test_the_twins_cost_is_that_of_all_of_them(config: RunConfig, arms: dict[str, Arm]) -> None:
    costs = results(config, {"mmoe": (arms["mmoe"], better(), better())}).costs
    assert (costs[SINGLE].parameters, costs["mmoe"].parameters) == (40, 10)
    assert (costs[SINGLE].seconds, costs["mmoe"].seconds) == (4.0, 1.0)
