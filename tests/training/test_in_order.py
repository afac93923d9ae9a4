"""Work of several threads comes back in order, bounded, with its error."""

import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from training.in_order import in_order


def test_results_are_in_the_order_of_the_work_and_few_are_ahead() -> None:
    started: list[int] = []

    def slow_first(at: int) -> int:
        time.sleep(0.02 if at % 3 == 0 else 0)
        return at

    def work() -> Iterator[Callable[[], int]]:
        for at in range(20):
            started.append(at)
            yield partial(slow_first, at)

    for at, result in enumerate(in_order(work(), 2)):
        assert result == at
        assert len(started) - at <= 4


def test_the_first_error_is_raised() -> None:
    def fail(at: int) -> int:
        if at in (3, 4):
            raise ValueError(f"number {at}")
        return at

    with pytest.raises(ValueError, match="number 3"):
        list(in_order((partial(fail, at) for at in range(9)), 3))
