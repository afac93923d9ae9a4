"""Flat columns: the rows of the encoded dataset, in its order, and nothing of what is to be predicted."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.columns import Columns, columns_of
from training.config import RunConfig
from training.dataset import Dataset, prepare
from training.run import Run


@pytest.fixture
def prepared(config: RunConfig, tmp_path: Path) -> tuple[Dataset, dict[str, Columns]]:
    run = Run.of(config, tmp_path)
    dataset = prepare(run.preparation, run.encoded, lambda *_: None)
    return dataset, columns_of(config, dataset)


def test_rows_are_those_of_each_split(prepared: tuple[Dataset, dict[str, Columns]]) -> None:
    dataset, columns = prepared
    for name, split in dataset.splits.items():
        codes = columns[name].categories["video_id"]
        encoded = split.arrays["video_id"]
        known = encoded > 1  # below, many videos have one code
        assert len(codes) == split.num_rows and known.any()
        pairs = set(zip(codes[known].tolist(), encoded[known].tolist(), strict=True))
        assert len(pairs) == len(np.unique(codes[known])) == len(np.unique(encoded[known]))


def test_codes_mean_the_same_in_every_split(prepared: tuple[Dataset, dict[str, Columns]]) -> None:
    dataset, columns = prepared
    by_split = {
        name: dict(zip(split.arrays["video_id"].tolist(), columns[name].categories["video_id"].tolist(), strict=True))
        for name, split in dataset.splits.items()
    }
    both = [code for code in by_split["train"] if code > 1 and code in by_split["test"]]
    assert both and all(by_split["train"][code] == by_split["test"][code] for code in both)


def test_neither_outcomes_nor_users_are_columns(
    config: RunConfig, prepared: tuple[Dataset, dict[str, Columns]]
) -> None:
    columns = prepared[1]["train"]
    names = {*columns.numbers, *columns.categories, *columns.crossed}
    assert not names & {config.data.keys.user, *(task.label for task in config.tasks)}
