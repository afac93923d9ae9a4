"""The summary of a benchmark: the figures that it names, right over the seeds."""

from typing import Any

from benchmarks.quality.scores import Scores
from benchmarks.quality.summary import summarise, table
from model.contract.tasks import Task

CLICK: dict[str, Any] = {"name": "click", "group": "e", "kind": "binary", "label": "c"}
TASKS = [
    Task.model_validate(CLICK),
    Task.model_validate(CLICK | {"name": "like"}),
    Task.model_validate({"name": "watch_time", "group": "e", "kind": "regression", "label": "w", "transform": "log1p"}),
]


def one_seed(click: float, like: float, ece: float, rmse: float) -> Scores:
    return {
        "click": {"auc": click, "ece": ece},
        "like": {"auc": like, "ece": 0.001},
        "watch_time": {"rmse_transformed": rmse, "rmse": 40.0},
    }


def test_means_spread_and_the_largest_ece() -> None:
    seeds = [one_seed(0.70, 0.80, 0.004, 1.1), one_seed(0.72, 0.80, 0.006, 1.3), one_seed(0.71, 0.86, 0.005, 1.2)]
    assert summarise(TASKS, seeds).as_json() == {
        "click": 0.71,
        "like": 0.82,
        "watch_time_rmse": 1.2,
        "mean_auc": 0.765,
        "mean_auc_spread": 0.035,
        "max_ece": 0.005,
    }


def test_the_interval_is_students() -> None:
    shown = table({"arm": summarise(TASKS, [one_seed(0.70, 0.8, 0.0, 1.0), one_seed(0.72, 0.8, 0.0, 1.0)])})
    cells = [next(iter(column.cells)) for column in shown.columns]
    # Two seeds: 12.706 times the standard error, which is half of their difference.
    assert cells[1] == ".7100\n±.1271"
    assert cells[3] == "1.0000\n±.0000"


def test_one_seed_has_no_interval() -> None:
    shown = table({"arm": summarise(TASKS, [one_seed(0.7, 0.8, 0.0, 1.0)])})
    assert next(iter(shown.columns[1].cells)) == ".7000"
