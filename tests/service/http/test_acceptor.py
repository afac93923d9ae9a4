"""Acceptors on one socket, each in a thread of its own, as they are in workers."""

import asyncio
import errno
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from service.http import acceptor
from service.http.acceptor import SharingLoop

PATIENCE_S = 20.0


class Counted(asyncio.Protocol):
    """Says which worker it is of."""

    def __init__(self, connections: set["Counted"], name: bytes) -> None:
        self.connections, self._name = connections, name

    def connection_made(self, transport: Any) -> None:
        self.connections.add(self)
        transport.write(self._name)

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.discard(self)


@contextmanager
def listening(kind: type[socket.socket] = socket.socket) -> Iterator[socket.socket]:
    with kind(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(2048)
        yield listener


@contextmanager
def worker(listener: socket.socket, name: bytes) -> Iterator[Callable[[], None]]:
    """What is given closes its server, and returns when that is closed."""
    loop, connections = SharingLoop(), set[Counted]()
    server = loop.run_until_complete(loop.create_server(lambda: Counted(connections, name), sock=listener))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def close() -> None:
        server.close()
        await server.wait_closed()

    try:
        yield lambda: asyncio.run_coroutine_threadsafe(close(), loop).result(PATIENCE_S)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def ask(listener: socket.socket, stack: ExitStack) -> socket.socket:
    return stack.enter_context(socket.create_connection(listener.getsockname(), timeout=PATIENCE_S))


@pytest.mark.parametrize("num_clients", [16, 64])
def test_workers_have_about_as_many_connections_of_a_burst_that_stays(num_clients: int) -> None:
    with listening() as listener, worker(listener, b"a"), worker(listener, b"b"), ExitStack() as stack:
        clients = [ask(listener, stack) for _ in range(num_clients)]
        told = [client.recv(1) for client in clients]
    assert min(told.count(b"a"), told.count(b"b")) >= num_clients // 5


def test_one_that_is_left_alone_takes_all() -> None:
    with listening() as listener, worker(listener, b"a") as close, worker(listener, b"b"), ExitStack() as stack:
        close()
        close()  # as uvicorn does where it is told twice
        told = {ask(listener, stack).recv(1) for _ in range(20)}
    assert told == {b"b"}


def test_a_thousand_at_once_are_all_accepted() -> None:
    with listening() as listener, worker(listener, b"a"), ExitStack() as stack:
        clients = [ask(listener, stack) for _ in range(1000)]
        assert {client.recv(1) for client in clients} == {b"a"}


def test_without_a_descriptor_it_says_so_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [OSError(errno.EMFILE, "Too many open files"), ConnectionAbortedError(), BlockingIOError()]

    class Failing(socket.socket):
        def accept(self) -> tuple[socket.socket, Any]:
            if failures:
                raise failures.pop(0)
            return super().accept()

    monkeypatch.setattr(acceptor, "EXHAUSTED_S", 0.01)
    with listening(Failing) as listener, worker(listener, b"a"), ExitStack() as stack:
        assert ask(listener, stack).recv(1) == b"a"
    assert [record.getMessage() for record in caplog.records] == [
        "no connection can be accepted: [Errno 24] Too many open files"
    ]


def test_clients_that_leave_at_once_leave_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    with listening() as listener, worker(listener, b"a"), ExitStack() as stack:
        for _ in range(50):
            client = ask(listener, stack)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, not an end
            client.close()
        assert ask(listener, stack).recv(1) == b"a"
    assert not caplog.records
