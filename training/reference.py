"""Reference: how predictions, scores and features are distributed, for the service to tell drift from."""

import numpy as np
import torch
from numpy.typing import NDArray

from model.contract.combination import combine
from model.contract.drift import Codes, Intervals, Reference, is_watched, quantities
from model.ranker import MultiTaskRanker
from training.config import RunConfig
from training.dataset import Dataset, SplitData
from training.evaluation import ROWS_AT_ONCE, batch_of
from training.splits import TRAIN, VALID

SAMPLE_ROWS = 100_000  # at equal distances, so that time does not grow with the log


def reference_figures(ranker: MultiTaskRanker, dataset: Dataset, config: RunConfig) -> Reference:
    """Predictions and scores on validation, as served: calibrated, positions missing. Features on what was trained on:
    of the impressions, so that a video counts as often as it was shown.
    """
    predictions = _predictions(ranker, dataset.splits[VALID])
    by_task = {task.name: predictions[:, at] for at, task in enumerate(config.tasks)}
    train, schema = dataset.splits[TRAIN], dataset.schema
    rows = _rows(train)
    return Reference(
        predictions={name: Intervals.fit(column) for name, column in by_task.items()},
        scores={name: Intervals.fit(combine(by_task, policy).score) for name, policy in config.policies.items()},
        features={
            name: Codes.fit(values) if spec.table else Intervals.fit(values)
            for spec in schema.specs.values()
            if is_watched(spec, schema)
            for name, values in quantities(spec, np.take(train.arrays[spec.name], rows, axis=0))
        },
    )


def _rows(split: SplitData) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, split.num_rows - 1, min(split.num_rows, SAMPLE_ROWS)).astype(np.int64))


@torch.no_grad()
def _predictions(ranker: MultiTaskRanker, split: SplitData) -> NDArray[np.float64]:
    """`[row, task]`"""
    rows = _rows(split)
    parts = [rows[start : start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE)]
    return np.concatenate([ranker.predict(batch_of(split, part)).numpy() for part in parts]).astype(np.float64)
