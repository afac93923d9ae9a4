"""Admission: how many are computed, how many wait, and for whom nothing is computed any more."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from model.contract.mistakes import InputError
from service.errors import DeadlinePassed, Overloaded
from service.http.admission import Admission


class Client(Request):
    """Sends `body` at once, and leaves when told."""

    def __init__(self, body: bytes = b"", timeout_ms: str | None = None) -> None:
        headers = [] if timeout_ms is None else [(b"x-request-timeout-ms", timeout_ms.encode())]
        super().__init__({"type": "http", "headers": headers}, self._receive_next)
        self.leaves = asyncio.Event()
        self.sent: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        self.is_read = False

    async def _receive_next(self) -> Message:
        self.is_read = True
        if self.sent:
            return self.sent.pop()
        await self.leaves.wait()
        return {"type": "http.disconnect"}


class Work:
    """Computes when it is allowed to, and remembers what."""

    def __init__(self) -> None:
        self.allowed = threading.Event()
        self.computed: list[bytes] = []

    def __call__(self, body: bytes) -> bytes:
        assert self.allowed.wait(30)
        self.computed.append(body)
        return body


@pytest.fixture
def work() -> Iterator[Work]:
    work = Work()
    yield work
    work.allowed.set()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_beyond_the_queue_it_is_told_at_once_and_nothing_is_read(work: Work) -> None:
    async def run() -> None:
        admission = Admission(at_once=2, max_queue=3, timeout_ms=60_000)
        accepted = [asyncio.create_task(admission.run(Client(bytes([at])), work)) for at in range(5)]
        await settle()
        for _ in range(20):
            late = Client(b"late")
            with pytest.raises(Overloaded):
                await admission.run(late, work)
            assert not late.is_read
        assert not any(task.done() for task in accepted)
        work.allowed.set()
        assert await asyncio.gather(*accepted) == [bytes([at]) for at in range(5)]
        assert await admission.run(Client(b"next"), work) == b"next"
        admission.stop()

    asyncio.run(run())
    assert sorted(work.computed) == sorted([*(bytes([at]) for at in range(5)), b"next"])


def test_a_client_that_still_sends_holds_no_place(work: Work) -> None:
    async def run() -> None:
        work.allowed.set()
        admission = Admission(at_once=1, max_queue=0, timeout_ms=60_000)
        slow = Client()
        slow.sent.clear()
        held = asyncio.create_task(admission.run(slow, work))
        await settle()
        assert slow.is_read and await admission.run(Client(b"quick"), work) == b"quick"
        slow.leaves.set()
        with pytest.raises(ClientDisconnect):
            await held
        admission.stop()

    asyncio.run(run())


def test_what_waits_at_its_deadline_is_not_computed(work: Work) -> None:
    async def run() -> None:
        admission = Admission(at_once=1, max_queue=3, timeout_ms=60_000)
        begun = asyncio.create_task(admission.run(Client(b"begun", timeout_ms="30"), work))
        await settle()
        with pytest.raises(DeadlinePassed):
            await admission.run(Client(b"waits", timeout_ms="30"), work)
        assert not begun.done()
        work.allowed.set()
        assert await begun == b"begun"  # what has begun is ended
        assert await admission.run(Client(b"next"), work) == b"next"
        admission.stop()

    asyncio.run(run())
    assert work.computed == [b"begun", b"next"]


def test_whose_time_is_over_before_the_body_is_there_is_not_computed(work: Work) -> None:
    class Slow(Client):
        async def _receive_next(self) -> Message:
            await asyncio.sleep(0.01)
            return await super()._receive_next()

    async def run() -> None:
        admission = Admission(at_once=1, max_queue=1, timeout_ms=60_000)
        with pytest.raises(DeadlinePassed):
            await admission.run(Slow(timeout_ms="1"), work)
        work.allowed.set()
        assert await admission.run(Client(b"next"), work) == b"next"
        admission.stop()

    asyncio.run(run())
    assert work.computed == [b"next"]


def test_the_service_has_the_last_word_on_time(work: Work) -> None:
    async def run() -> None:
        admission = Admission(at_once=1, max_queue=1, timeout_ms=30)
        begun = asyncio.create_task(admission.run(Client(), work))
        await settle()
        with pytest.raises(DeadlinePassed):
            await admission.run(Client(timeout_ms="99999999"), work)
        work.allowed.set()
        await begun
        admission.stop()

    asyncio.run(run())


def test_for_a_client_that_left_while_it_waited_nothing_is_computed(work: Work) -> None:
    async def run() -> None:
        admission = Admission(at_once=1, max_queue=2, timeout_ms=60_000)
        begun = asyncio.create_task(admission.run(Client(b"begun"), work))
        await settle()
        leaving = Client(b"leaving")
        waits = asyncio.create_task(admission.run(leaving, work))
        await settle()
        leaving.leaves.set()
        with pytest.raises(ClientDisconnect):
            await waits
        work.allowed.set()
        await begun
        admission.stop()

    asyncio.run(run())
    assert work.computed == [b"begun"]


def test_a_server_that_stops_is_not_taken_for_a_deadline(work: Work) -> None:
    async def run() -> None:
        admission = Admission(at_once=1, max_queue=2, timeout_ms=60_000)
        tasks = [asyncio.create_task(admission.run(Client(), work)) for _ in range(2)]
        await settle()
        for task in tasks:
            task.cancel()
        assert all(
            isinstance(one, asyncio.CancelledError) for one in await asyncio.gather(*tasks, return_exceptions=True)
        )
        work.allowed.set()
        admission.stop()

    asyncio.run(run())


@pytest.mark.parametrize("asked", ["", "0", "-1", "1.5", "soon", "²", " "])
def test_a_time_that_is_none_is_a_mistake(work: Work, asked: str) -> None:
    async def run() -> None:
        with pytest.raises(InputError, match="X-Request-Timeout-Ms: expected a whole number of milliseconds"):
            await Admission(1, 1, 1000).run(Client(timeout_ms=asked), work)

    asyncio.run(run())
