"""Recorder: takes traces on the way of a request in a microsecond, and makes figures of them in a thread."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence

from service.telemetry.trace import Trace

logger = logging.getLogger(__name__)
PERIOD_S = 1.0
MOST_SEEN = 256  # requests of one period whose predictions and features are kept to be looked at
Taker = Callable[[Sequence[Trace]], object]


class Recorder:
    """`takers` get the traces of a period, by one thread at a time. All requests are counted; of more than MOST_SEEN in
    a period, the first so many stand for all where it comes to predictions and features: memory stays bounded.
    """

    def __init__(self, takers: Sequence[Taker]) -> None:
        self._takers = takers
        self._noted: deque[Trace] = deque()
        self._flushing, self._stopping = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def note(self, trace: Trace) -> None:
        if len(self._noted) >= MOST_SEEN:
            trace.trail.seen = None
        self._noted.append(trace)

    def flush(self) -> None:
        """All that was noted until now is in the figures; never raises: what is told of requests must not fail them."""
        with self._flushing:
            traces = [self._noted.popleft() for _ in range(len(self._noted))]
            for take in self._takers:
                try:
                    take(traces)
                except Exception:
                    logger.exception("telemetry failed")
            for trace in traces:  # an idle connection keeps its last trace, which shall not keep an old ranker
                trace.trail.seen = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self.flush()

    def _run(self) -> None:
        self.flush()
        while not self._stopping.wait(PERIOD_S):
            self.flush()
