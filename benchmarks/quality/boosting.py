"""LightGBM, one model a task: what a ranker has to beat on tables."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.arm import Array, Job
from benchmarks.quality.columns import Columns, columns_of
from model.contract.tasks import TaskKind
from training.splits import TEST, TRAIN, VALID

SETTINGS: Mapping[str, Any] = {
    "learning_rate": 0.03,
    "num_leaves": 31,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
}
# Chosen on validation. What matters most is how much categories are smoothed: by its own figures LightGBM learns them
# by heart. With those of more values, ids before all, it does no better: what they say is in the rates.
MOST_VALUES = 100
SMOOTHING: Mapping[str, Any] = {"cat_smooth": 200.0, "cat_l2": 100.0, "min_data_per_group": 200}
MAX_ROUNDS, PATIENCE = 5000, 150
OBJECTIVES = {
    TaskKind.BINARY: {"objective": "binary", "metric": "auc"},
    TaskKind.REGRESSION: {"objective": "regression", "metric": "rmse"},
}


def predict(job: Job) -> Array:
    """With every column, and categories smoothed as LightGBM does unless told. Uncalibrated."""
    return _predict(job, columns_of(job.config, job.dataset), {})


def predict_tuned(job: Job) -> Array:
    """With what validation asks for."""
    return _predict(job, without_ids(columns_of(job.config, job.dataset)), SMOOTHING)


def _predict(job: Job, columns: Mapping[str, Columns], smoothing: Mapping[str, Any]) -> Array:
    test = _table(columns[TEST])
    return np.stack([np.asarray(one.predict(test, raw_score=True)) for one in fit(job, columns, smoothing)], 1)


def without_ids(columns: Mapping[str, Columns]) -> dict[str, Columns]:
    few = [name for name, one in columns[TRAIN].categories.items() if len(np.unique(one)) <= MOST_VALUES]
    return {
        split: replace(some, categories={name: some.categories[name] for name in few})
        for split, some in columns.items()
    }


def fit(job: Job, columns: Mapping[str, Columns], smoothing: Mapping[str, Any]) -> list[lightgbm.Booster]:
    """One for each task, each with as many rounds as are best on validation."""
    categories = list(columns[TRAIN].categories)
    tables = {split: _table(columns[split]) for split in (TRAIN, VALID)}
    targets = {split: job.targets(split) for split in tables}
    own = {"seed": job.seed, "num_threads": job.num_threads, "deterministic": True, "force_row_wise": True}
    boosters = []
    for at, task in enumerate(job.config.tasks):
        train = lightgbm.Dataset(
            tables[TRAIN], targets[TRAIN][:, at], feature_name=names(columns[TRAIN]), categorical_feature=categories
        )
        valid = lightgbm.Dataset(tables[VALID], targets[VALID][:, at], reference=train)
        stop = lightgbm.early_stopping(PATIENCE, verbose=False)
        settings = {**SETTINGS, **smoothing, **OBJECTIVES[task.kind], **own, "verbose": -1}
        boosters.append(lightgbm.train(settings, train, MAX_ROUNDS, [valid], callbacks=[stop]))
    return boosters


def names(columns: Columns) -> list[str]:
    return [*columns.categories, *columns.numbers, *columns.crossed]


def _table(columns: Columns) -> NDArray[np.float64]:
    """`[row, column]` in the order of `names`."""
    some: list[NDArray[Any]] = [*columns.categories.values(), *columns.numbers.values(), *columns.crossed.values()]
    return np.stack(some, 1).astype(np.float64)
