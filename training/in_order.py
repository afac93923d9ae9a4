"""In order: work for several threads, its results in the order in which it was given."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def in_order(work: Iterable[Callable[[], Result]], num_threads: int) -> Iterator[Result]:
    """Never more than twice `num_threads` are waiting, so that what they hold is bounded; the first error is raised."""
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(num_threads) as pool:
        for one in work:
            waiting.append(pool.submit(one))
            if len(waiting) >= 2 * num_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
