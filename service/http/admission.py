"""Admission: so many requests are computed at once and so many wait; who comes beyond that is told at once.

So the time that an accepted request waits is bounded, however many come: a longer queue would serve nobody more, only
all of them later.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

from model.contract.mistakes import mistake, quote
from service.errors import DeadlinePassed, Overloaded
from service.http.threads import Threads, Work

TIMEOUT_HEADER = "X-Request-Timeout-Ms"
RETRY_AFTER_S = 1.0
Answer = TypeVar("Answer")


class Admission:
    """Counts on the event loop alone, and so needs no lock. Each kind of work has its own, so that none waits for
    another's.
    """

    def __init__(self, at_once: int, max_queue: int, timeout_ms: int) -> None:
        self._threads = Threads(at_once, "admitted")
        self._at_once, self._max_queue, self._timeout_ms = at_once, max_queue, timeout_ms
        self._num_admitted = 0

    async def run(self, request: Request, compute: Callable[[bytes], Answer]) -> Answer:
        """`compute` of the body, in a thread: the event loop must stay free to take requests and to answer probes.

        Raises Overloaded before reading the body, or after it where others were faster. What still waits at its
        deadline is not computed (DeadlinePassed), nor what its client no longer waits for (ClientDisconnect).
        """
        deadline = asyncio.get_running_loop().time() + self._timeout_s(request)
        self._refuse_if_full()
        body = await request.body()
        if asyncio.get_running_loop().time() >= deadline:
            raise DeadlinePassed("The request's time was over before its body was there.")
        self._refuse_if_full()  # only whole requests take a place: slow clients could hold them all
        must_wait = self._num_admitted >= self._at_once
        self._num_admitted += 1
        try:
            work = self._threads.submit(partial(compute, body))
            with _cancelled_at(deadline, work), _cancelled_if_left(request if must_wait else None, work):
                return await work.future
        finally:
            self._num_admitted -= 1

    def stop(self) -> None:
        self._threads.stop()

    def _refuse_if_full(self) -> None:
        if self._num_admitted >= self._at_once + self._max_queue:
            raise Overloaded(f"{self._max_queue} requests wait already, as many as may.", RETRY_AFTER_S)

    def _timeout_s(self, request: Request) -> float:
        """What the client asks for, at most what the service allows."""
        asked = request.headers.get(TIMEOUT_HEADER)
        if asked is None:
            return self._timeout_ms / 1000
        if not asked.isascii() or not asked.isdigit() or not int(asked[:20]):
            raise mistake(TIMEOUT_HEADER, "a whole number of milliseconds, at least 1", quote(asked))
        return min(int(asked[:20]), self._timeout_ms) / 1000


@contextmanager
def _cancelled_at(deadline: float, work: Work[Any]) -> Iterator[None]:
    """Only what still waits can be cancelled."""
    timer = asyncio.get_running_loop().call_at(deadline, work.cancel)
    try:
        yield
    except asyncio.CancelledError:
        if _is_own_end() or asyncio.get_running_loop().time() < deadline:
            raise
        raise DeadlinePassed("The request's time was over while it waited for its turn.") from None
    finally:
        timer.cancel()


@contextmanager
def _cancelled_if_left(request: Request | None, work: Work[Any]) -> Iterator[None]:
    """`request` is given only where it has to wait: to watch a client costs more than all else here."""
    if request is None:
        yield
        return
    watch = asyncio.create_task(_watch(request, work))
    try:
        yield
    except asyncio.CancelledError:
        if _is_own_end() or not watch.done():
            raise
        raise ClientDisconnect from None
    finally:
        watch.cancel()


async def _watch(request: Request, work: Work[Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    work.cancel()


def _is_own_end() -> bool:
    """Whether the task itself was cancelled, by a server that stops, and not merely its work."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
