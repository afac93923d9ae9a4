"""Threads: work that an event loop hands over and waits for.

concurrent.futures serves callers of any thread, with a lock and a condition for each piece of work, and asyncio has a
future of its own follow that one: some thirty Python calls a request more.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Work(Generic[Answer]):
    """Awaited by `future`. For the thread of the event loop, but for `run`."""

    def __init__(self, compute: Callable[[], Answer]) -> None:
        self.future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._compute, self._has_begun = compute, False

    def cancel(self) -> None:
        """Nothing happens to what has begun, but that in the very moment of beginning it may be computed for nobody."""
        if not self._has_begun:
            self.future.cancel()

    def run(self) -> None:
        self._has_begun = True
        if self.future.cancelled():
            return
        try:
            answer = self._compute()
        except BaseException as error:  # a library's panic too: the thread must live on, and somebody waits
            self._tell(self._fail, error)
        else:
            self._tell(self._succeed, answer)

    def _tell(self, how: Callable[..., None], what: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits
            self.future.get_loop().call_soon_threadsafe(how, what)

    def _succeed(self, answer: Answer) -> None:
        if not self.future.done():  # whoever waited may have been cancelled
            self.future.set_result(answer)

    def _fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(RuntimeError(repr(error)) if isinstance(error, StopIteration) else error)


class Threads:
    """So many at once; what is handed over first is begun first."""

    def __init__(self, at_once: int, name: str) -> None:
        self._handed_over: SimpleQueue[Work[object] | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._run, name=name, daemon=True) for _ in range(at_once)]
        for thread in self._threads:
            thread.start()

    def submit(self, compute: Callable[[], Answer]) -> Work[Answer]:
        work = Work(compute)
        self._handed_over.put(work)  # type: ignore[arg-type]
        return work

    def stop(self) -> None:
        """When all that was handed over is done; not waited for."""
        for _ in self._threads:
            self._handed_over.put(None)

    def _run(self) -> None:
        while (work := self._handed_over.get()) is not None:
            work.run()
            del work  # while it waits for the next, a thread keeps nobody's answer
