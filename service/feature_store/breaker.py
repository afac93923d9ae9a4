"""Breaker: a store that keeps failing is left alone for a while, so that requests do not all wait for it in vain."""

import logging
import threading
import time

from service.errors import StoreUnavailable

logger = logging.getLogger(__name__)
MOST_FAILURES = 3  # in a row
PAUSE_S = 1.0


class Breaker:
    """Ask `check` before an attempt, and tell `failed` or `succeeded` after it. After a pause one attempt is let
    through, and all of them once it succeeds.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._num_failures, self._paused_until = 0, 0.0

    def check(self) -> None:
        """Raises StoreUnavailable during a pause."""
        if self._num_failures < MOST_FAILURES:  # without the lock: one attempt more or less does not matter
            return
        with self._lock:
            now = time.monotonic()
            if now < self._paused_until:
                raise StoreUnavailable("the feature store is left alone: it has failed", self._paused_until - now)
            self._paused_until = now + PAUSE_S

    def succeeded(self) -> None:
        if not self._num_failures:
            return
        with self._lock:
            if self._num_failures >= MOST_FAILURES:
                logger.info("the feature store answers again")
            self._num_failures = 0

    def failed(self, error: Exception) -> StoreUnavailable:
        """What to raise."""
        reason = f"the feature store failed: {type(error).__name__}: {error}".removesuffix(": ")
        with self._lock:
            self._num_failures += 1
            if self._num_failures >= MOST_FAILURES:
                self._paused_until = time.monotonic() + PAUSE_S
            if self._num_failures == MOST_FAILURES:
                logger.warning("%s; requests are ranked without it", reason)
        return StoreUnavailable(reason, PAUSE_S)
