"""Shadow: a version ranks the requests that another one answered, in a thread of its own, and the two are compared."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import Empty, Full, Queue

import numpy as np

from model.contract.request import Asked
from service.ranking.order import Ranking
from service.ranking.ranker import Ranker

logger = logging.getLogger(__name__)
QUEUE_SIZE, TOP = 64, 10
LOG_EVERY_S, STOP_TIMEOUT_S = 60.0, 5.0


@dataclass(frozen=True, slots=True)
class Answered:
    """A request, and how `ranker` answered it, for `shadow` to do again."""

    request: Asked
    ranking: Ranking
    ranker: Ranker
    shadow: Ranker


@dataclass(slots=True)
class Disagreement:
    """Sums over the `num_compared` requests since this version is the shadow: `overlap` of each request's share of
    the top 10 that both have, `difference` of its mean absolute difference of predictions, by task.
    """

    version: str
    num_compared: int = 0
    num_failed: int = 0
    overlap: float = 0.0
    difference: dict[str, float] = field(default_factory=dict)

    def add(self, overlap: float, difference: dict[str, float]) -> None:
        self.num_compared += 1
        self.overlap += overlap
        self.difference = {task: self.difference.get(task, 0.0) + value for task, value in difference.items()}

    def __str__(self) -> str:
        count = max(self.num_compared, 1)
        tasks = ", ".join(f"{task} {value / count:.4g}" for task, value in self.difference.items())
        return f"{self.num_compared} requests, top-{TOP} overlap {self.overlap / count:.3f}, mean difference: {tasks}"


class Shadow:
    """Whoever answers only puts what was answered into a queue; when that is full, it is dropped and counted."""

    def __init__(self, rank: Callable[[Asked, Ranker], Ranking]) -> None:
        self._rank = rank
        self._queue: Queue[Answered] = Queue(QUEUE_SIZE)
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="shadow", daemon=True)
        self.num_dropped = 0
        self.watchers: list[Callable[[Mapping[str, float]], object]] = []  # get the difference of each request, by task
        self.disagreement: Disagreement | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(STOP_TIMEOUT_S)

    def offer(self, answered: Answered) -> None:
        """Never waits."""
        try:
            self._queue.put_nowait(answered)
        except Full:
            with self._lock:
                self.num_dropped += 1

    def _work(self) -> None:
        logged_at = float("-inf")
        while not self._stopping.is_set():
            try:
                answered = self._queue.get(timeout=0.2)
            except Empty:
                continue
            self.take(answered)
            del answered  # it would hold its rankers until the next one comes
            if time.monotonic() - logged_at >= LOG_EVERY_S:
                logged_at = time.monotonic()
                logger.info("shadow: %s, %d dropped", self._told(), self.num_dropped)

    def _told(self) -> str:
        return f"version {self.disagreement.version}: {self.disagreement}" if self.disagreement else "nothing compared"

    def take(self, answered: Answered) -> None:
        """Rank again and compare; never raises."""
        version = answered.shadow.bundle.manifest.version
        if self.disagreement is None or self.disagreement.version != version:
            self.disagreement = Disagreement(version)
        try:
            again = self._rank(answered.request.model_copy(update={"top_k": None}), answered.shadow)
            overlap, difference = compare(answered, again)
            self.disagreement.add(overlap, difference)
            for watch in self.watchers:
                watch(difference)
        except Exception as error:  # what a version on trial cannot do is no trouble of those who are answered
            self.disagreement.num_failed += 1
            logger.debug("shadow version %s failed: %s", version, error)


def compare(answered: Answered, again: Ranking) -> tuple[float, dict[str, float]]:
    """The share of the answer's top 10 that the shadow has in its own, and by task that both have the mean absolute
    difference of the predictions of what was answered. `again` ranks all candidates.
    """
    ids = answered.ranking.ids
    top = min(TOP, len(ids))
    overlap = len({*ids[:top]} & {*again.ids[:top]}) / top
    place = {one: at for at, one in enumerate(again.ids)}
    rows = [place[one] for one in ids]
    columns = {task.name: at for at, task in enumerate(answered.shadow.bundle.tasks)}
    difference = {}
    for at, task in enumerate(answered.ranker.bundle.tasks):
        if task.name in columns:
            gap = np.abs(answered.ranking.predictions[:, at] - again.predictions[rows, columns[task.name]])
            difference[task.name] = float(np.nan_to_num(gap, posinf=0.0).mean())
    return overlap, difference
