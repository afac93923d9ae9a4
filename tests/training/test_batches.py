"""The rows of an epoch: each once, or as many of every task; only seed and epoch decide the order."""

from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from rich.console import Console

from training.batches import BLOCKS_MIXED, Batches, batch_rows, task_rows
from training.config import parse
from training.run import Run
from training.splits import TRAIN
from training.watching import TerminalWatcher


@given(st.integers(1, 300), st.integers(1, 64), st.integers(1, 50), st.integers(0, 3))
def test_an_epoch_has_every_row_once_and_only_the_seed_decides_the_order(
    num_rows: int, batch_size: int, block_rows: int, epoch: int
) -> None:
    batches = list(batch_rows(num_rows, batch_size, block_rows, (0, epoch)))
    assert sorted(np.concatenate(batches).tolist()) == list(range(num_rows))
    assert all(len(batch) == batch_size for batch in batches[:-1])
    again = batch_rows(num_rows, batch_size, block_rows, (0, epoch))
    assert all((left == right).all() for left, right in zip(batches, again, strict=True))


def test_epochs_and_seeds_differ() -> None:
    orders = [np.concatenate(list(batch_rows(1000, 10, 100, seed))).tolist() for seed in ((0, 0), (0, 1), (1, 0))]
    assert orders[0] != orders[1] and orders[0] != orders[2]


@st.composite
def observations(draw: st.DrawFn) -> NDArray[np.bool_]:
    """`[row, task]`, with every task observed somewhere."""
    num_rows, num_tasks, seed = draw(st.integers(1, 200)), draw(st.integers(1, 4)), draw(st.integers(0, 99))
    random = np.random.default_rng(seed)
    observed = random.random((num_rows, num_tasks)) < random.random(num_tasks) ** 2
    observed[random.integers(num_rows), :] = True
    return observed


@given(observations(), st.integers(1, 64), st.integers(1, 20))
def test_a_row_is_drawn_for_a_task_that_is_observed_in_it(
    observed: NDArray[np.bool_], batch_size: int, block_rows: int
) -> None:
    batches = list(task_rows(observed, batch_size, block_rows, (0, 1)))
    sizes = [len(rows) for rows, _ in batches]
    assert sum(sizes) == len(observed)
    assert all(size == batch_size for size in sizes[:-1])
    assert all(observed[rows, tasks].all() for rows, tasks in batches)
    again = list(task_rows(observed, batch_size, block_rows, (0, 1)))
    for left, right in zip(batches, again, strict=True):
        assert all((one == other).all() for one, other in zip(left, right, strict=True))


@pytest.mark.parametrize("block_rows", [64, 5_000])
def test_tasks_have_equal_parts_of_an_epoch_whatever_their_data_sizes(block_rows: int) -> None:
    observed = np.zeros((20_000, 3), dtype=bool)
    observed[:, 0] = True
    observed[::2, 1] = True
    observed[17_000:17_050, 2] = True  # few, and all in one place
    rows, tasks = (np.concatenate(one) for one in zip(*task_rows(observed, 500, block_rows, (3, 0)), strict=True))
    counts = np.bincount(tasks)
    # A multinomial's deviation is 67.
    assert np.abs(counts - 20_000 / 3).max() < 4 * 67
    for task in range(3):
        drawn = np.bincount(rows[tasks == task], minlength=len(observed))[observed[:, task]]
        # None comes again before all have come.
        assert drawn.max() - drawn.min() <= 1


class Counting:
    """`[row, task]` observations of many rows that counts how many are looked at."""

    def __init__(self, num_rows: int, most: int) -> None:
        self.shape, self.most, self.num_read = (num_rows, 2), most, 0

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, place: tuple[slice, int]) -> NDArray[np.bool_]:
        rows, task = place
        numbers = np.arange(rows.start, min(rows.stop, len(self)))
        assert len(numbers) <= self.most
        self.num_read += len(numbers)
        return numbers % 1_000_000 < 100 if task else np.ones(len(numbers), dtype=bool)


def test_of_many_rows_no_more_is_held_than_what_is_mixed() -> None:
    observed: Any = Counting(10_000_000, most=100_000)
    next(task_rows(observed, 1000, 100_000, (0, 0)))
    # The few rows of the second task are looked for everywhere, and once; of the first one chunk is enough.
    assert observed.num_read == len(observed) + BLOCKS_MIXED * 100_000
    list(islice(task_rows(observed, 1000, 100_000, (0, 0)), 20))
    assert observed.num_read == 2 * (len(observed) + BLOCKS_MIXED * 100_000)


@pytest.mark.parametrize("sampling", ["rows", "uniform"])
def test_an_epoch_goes_on_from_any_batch(raw_config: dict[str, Any], trained: tuple[Run, Any], sampling: str) -> None:
    batches = batches_of(raw_config, trained[0], sampling)
    whole = list(batches.of_epoch(1, first=0))
    assert len(whole) == len(batches)
    rest = list(batches.of_epoch(1, first=3))
    for left, right in zip(whole[3:], rest, strict=True):
        assert (left.rows == right.rows).all()
        assert left.observed.equal(right.observed)


def test_a_row_counts_for_the_task_that_it_was_drawn_for_alone(
    raw_config: dict[str, Any], trained: tuple[Run, Any]
) -> None:
    split = batches_of(raw_config, trained[0], "rows").split
    assert split.observed.mean(0).tolist()[:3] == [1.0, 1.0, 1.0]
    assert split.observed[:, 3].mean() < 0.1  # rating
    counted = np.concatenate([one.observed for one in batches_of(raw_config, trained[0], "uniform").of_epoch(0, 0)])
    assert (counted.sum(1) == 1).all()
    assert counted.mean(0) == pytest.approx(0.25, abs=0.02)


def batches_of(raw: dict[str, Any], run: Run, sampling: str) -> Batches:
    with TerminalWatcher(Console(quiet=True), run.curves) as watcher:
        dataset = run.dataset(watcher)
    config = parse(raw | {"training": raw["training"] | {"task_sampling": sampling}}, {}, "config")
    return Batches(dataset.splits[TRAIN], config.tasks, dataset.scales, config.training)
