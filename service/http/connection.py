"""Connection: HTTP/1.1 as uvicorn speaks it, for clients that send slowly, or endless headers.

uvicorn waits for the rest of a request for ever, and keeps whatever comes of its headers. The application cannot help:
it is called once the headers are there, and knows nothing of a client that goes on sending what was refused long ago.
"""

import asyncio
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEADER_BYTES = 65_536
CUT_OFF = b"HTTP/1.1 %s\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
TOO_SLOW, TOO_MUCH = CUT_OFF % b"408 Request Timeout", CUT_OFF % b"431 Request Header Fields Too Large"


class Connection(HttpToolsProtocol):
    """`arrival_s`: seconds within which a request must have come whole."""

    def __init__(self, arrival_s: float, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.arrival_s = arrival_s

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._is_in_headers, self._is_in_request, self._num_header_bytes = True, False, 0
        self._timer: asyncio.TimerHandle | None = self.loop.call_later(self.arrival_s, self._cut_off)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._num_header_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if not self._is_in_request:
            self._stop_timer()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.arrival_s, self._cut_off)
        if self._is_in_headers and self._is_in_request and self._num_header_bytes > MOST_HEADER_BYTES:
            self._end(TOO_MUCH)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # What came with the headers' beginning is not counted: it may be the end of the request before.
        self._is_in_headers, self._is_in_request, self._num_header_bytes = True, True, 0

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._is_in_headers = False

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_in_request = False

    def _cut_off(self) -> None:
        self._timer = None
        if self._is_in_headers and self._is_answering:  # the request before, of a client that does not wait
            self._timer = self.loop.call_later(self.arrival_s, self._cut_off)
        else:
            self._end(TOO_SLOW)

    def _end(self, answer: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._is_in_headers and not self._is_answering:  # else the application has answered, or will not any more
            self.transport.write(answer)
        self.transport.close()

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def connections(arrival_s: float) -> Any:
    """For `uvicorn.Config(http=...)`, which calls it as it would a class; it travels to workers as it is."""
    return partial(Connection, arrival_s)
