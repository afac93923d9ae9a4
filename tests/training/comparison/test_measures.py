"""Measures: what the utility names, and nothing left out."""

from typing import Any

from training.comparison.measures import measures_of
from training.config import RunConfig, parse


def test_every_task_is_measured_the_utilitys_metrics_first(raw_config: dict[str, Any]) -> None:
    utility = [
        {"task": "like", "metric": "ece", "weight": 3.0},
        {"task": "click", "weight": 0.5},
        {"task": "click", "metric": "gauc"},
    ]
    raw_config["training"]["early_stop"] = {"utility": utility}
    found = [(one.name, one.weight, one.direction) for one in measures_of(parse(raw_config, {}, "config"))]
    assert found[:3] == [("like/ece", 3.0, -1), ("click/auc", 0.5, 1), ("click/gauc", 1.0, 1)]
    assert found[3:] == [("watch_time/rmse_transformed", 0.0, -1), ("rating/rmse_transformed", 0.0, -1)]


def test_without_a_declared_utility_every_task_counts(config: RunConfig) -> None:
    stop = config.training.early_stop.model_copy(update={"utility": ()})
    plain = config.model_copy(update={"training": config.training.model_copy(update={"early_stop": stop})})
    assert {one.name: one.weight for one in measures_of(plain)} == {
        "click/auc": 1,
        "watch_time/rmse_transformed": 1,
        "like/auc": 1,
        "rating/rmse_transformed": 1,
    }
