"""Acceptor: how workers divide the connections that come to the socket that they share.

The kernel wakes every worker that waits, and who is there first accepts. Left alone, one that is quick takes all of a
burst, and where clients keep their connections the others have nothing to do for as long. So a worker waits before it
accepts, the longer the more connections it has: one that has fewer is there before it.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Collection
from typing import Any

import uvloop

from service.http.connection import Connection

logger = logging.getLogger(__name__)
MOST_MS = 3
EIGHTH = 8  # a worker that waits accepts so much of what it has at once, so that it keeps up, however many come
EXHAUSTED_S = 1.0  # where the system has no descriptor left, it would be asked again without end


class Acceptor:
    """What uvicorn asks of a server, for a socket that listens already."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: Callable[[], Connection],
        listener: socket.socket,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._loop, self._protocol, self._listener, self._tls = loop, protocol, listener, tls
        self._connections: Collection[Any] = ()  # all that this worker has
        self._beginning: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        self._watch()

    def close(self) -> None:
        self._loop.remove_reader(self._listener)
        if self._timer is not None:
            self._timer.cancel()

    async def wait_closed(self) -> None:
        """Nothing is left to wait for: uvicorn knows the connections itself."""

    @property
    def _num_accepted(self) -> int:
        return len(self._beginning) + len(self._connections)

    def _watch(self) -> None:
        self._loop.add_reader(self._listener, self._hesitate)

    def _hesitate(self) -> None:
        self._loop.remove_reader(self._listener)
        self._timer = self._loop.call_later(min(self._num_accepted, MOST_MS) / 1000, self._accept)

    def _accept(self) -> None:
        for _ in range(1 + self._num_accepted // EIGHTH):
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):  # another worker was faster, or the client has left
                break
            except OSError as error:
                logger.error("no connection can be accepted: %s", error)
                self._timer = self._loop.call_later(EXHAUSTED_S, self._watch)
                return
            task = self._loop.create_task(self._begin(connection))
            self._beginning.add(task)
            task.add_done_callback(self._beginning.discard)
        self._watch()

    async def _begin(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        protocol = self._protocol()
        self._connections = protocol.connections
        with contextlib.suppress(OSError):  # a client that leaves at once, or speaks no TLS
            await self._loop.connect_accepted_socket(lambda: protocol, connection, ssl=self._tls)


class SharingLoop(uvloop.Loop):
    """The event loop of a worker that has others beside it. Its servers listen on what the workers share alone."""

    async def create_server(  # type: ignore[override]
        self, protocol: Callable[[], Connection], *, sock: socket.socket, ssl: ssl.SSLContext | None = None, **_: Any
    ) -> Acceptor:
        return Acceptor(self, protocol, sock, ssl)
