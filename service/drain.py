"""Drain: between SIGTERM and the end the service is not ready, but goes on answering."""

import asyncio
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

logger = logging.getLogger(__name__)


class Drain:
    """For `seconds` a load balancer can see that this one is to be left; one that still sends is answered."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.has_begun = False

    @contextmanager
    def on_sigterm(self) -> Iterator[None]:
        """Stands before the server's own handler, within a running loop; a second SIGTERM goes straight through."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop, stop = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)

        def begin(number: int, frame: FrameType | None) -> None:
            if self.has_begun or not self._seconds:
                self.has_begun = True
                _call(stop, number, frame)
                return
            self.has_begun = True
            loop.call_soon_threadsafe(loop.call_later, self._seconds, _call, stop, number, frame)
            logger.info("not ready any more; stopping in %g s", self._seconds)

        signal.signal(signal.SIGTERM, begin)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, stop)


def _call(handler: Any, number: int, frame: FrameType | None) -> None:
    if callable(handler):
        handler(number, frame)
