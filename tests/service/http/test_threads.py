"""Threads: what is handed over is done in its order, so many at a time, and what still waits can be called off."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from service.http.threads import Threads

TOGETHER = 2


@pytest.fixture
def threads() -> Iterator[Threads]:
    made = Threads(TOGETHER, "tested")
    yield made
    made.stop()


class Panic(BaseException):
    """As libraries written in Rust raise it."""


def fail(error: BaseException) -> None:
    raise error


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(main(), 30))


def test_answers_come_to_who_waits_for_them(threads: Threads) -> None:
    async def main() -> None:
        work = [threads.submit(lambda at=at: (at, threading.current_thread().name)) for at in range(100)]
        assert [await one.future for one in work] == [(at, "tested") for at in range(100)]

    run(main)


def test_so_many_run_at_once_and_the_rest_in_order(threads: Threads) -> None:
    begun: list[int] = []
    go = threading.Semaphore(0)

    def wait(at: int) -> None:
        begun.append(at)
        assert go.acquire(timeout=30)

    async def main() -> None:
        work = [threads.submit(lambda at=at: wait(at)) for at in range(6)]
        while len(begun) < TOGETHER:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        assert sorted(begun) == [0, 1]
        for at in range(TOGETHER, 6):
            go.release()
            while len(begun) <= at:
                await asyncio.sleep(0.001)
            assert begun[-1] == at
        go.release(TOGETHER)
        await asyncio.gather(*(one.future for one in work))

    run(main)


@pytest.mark.parametrize("error", [ValueError("wrong"), KeyError("none"), StopIteration(), Panic()])
def test_an_error_comes_to_who_waits_and_the_thread_lives_on(threads: Threads, error: BaseException) -> None:
    async def main() -> None:
        for _ in range(2 * TOGETHER):
            with pytest.raises(RuntimeError if isinstance(error, StopIteration) else type(error)):
                await threads.submit(lambda: fail(error)).future
        assert await threads.submit(lambda: 1).future == 1

    run(main)


def test_what_waits_is_called_off_and_what_has_begun_is_ended(threads: Threads) -> None:
    allowed, done = threading.Event(), []

    def work(at: int) -> int:
        assert allowed.wait(30)
        done.append(at)
        return at

    async def main() -> None:
        begun = [threads.submit(lambda at=at: work(at)) for at in range(TOGETHER)]
        await asyncio.sleep(0.05)
        waiting = threads.submit(lambda: work(9))
        for one in (*begun, waiting):
            one.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting.future
        allowed.set()
        assert [await one.future for one in begun] == [0, 1]
        assert await threads.submit(lambda: 1).future == 1

    run(main)
    assert sorted(done) == [0, 1]


def test_nobody_may_be_waiting_any_more(threads: Threads) -> None:
    allowed = threading.Event()

    async def main() -> None:
        work = threads.submit(lambda: allowed.wait(30))
        await asyncio.sleep(0.02)
        work.future.cancel()  # as a task that is cancelled itself does
        allowed.set()
        assert await threads.submit(lambda: 1).future == 1

    run(main)
    allowed.clear()

    async def leaves() -> None:
        threads.submit(lambda: allowed.wait(30))

    run(leaves)
    allowed.set()  # the loop has ended
    run(main)


def test_an_idle_thread_keeps_no_answer(threads: Threads) -> None:
    class Answer:
        pass

    async def main() -> None:
        answer = await threads.submit(Answer).future
        kept = weakref.ref(answer)
        del answer
        await asyncio.sleep(0.05)
        gc.collect()
        assert kept() is None

    run(main)


def test_it_stops_after_what_was_handed_over() -> None:
    async def main() -> None:
        stopping = Threads(1, "stopping")
        work = [stopping.submit(lambda at=at: at) for at in range(10)]
        stopping.stop()
        assert [await one.future for one in work] == list(range(10))

    run(main)
    deadline = threading.Event()
    while any(one.name == "stopping" for one in threading.enumerate()):
        assert not deadline.wait(0.01)
