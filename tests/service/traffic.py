"""Traffic: requests whose right answers are known, drawn at random and sent by processes of their own."""

import http.client
import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat

PATIENCE_S = 60.0
MOST_KEPT = 5  # of what was wrong, a client


@dataclass(frozen=True, slots=True)
class Asked:
    """`right` has the bodies that may be answered, one a version; where it is empty the status says all."""

    kind: str
    method: str
    path: str
    body: bytes
    headers: Mapping[str, str]
    statuses: frozenset[int] = frozenset({200})
    right: frozenset[bytes] = frozenset()

    def is_right(self, status: int, body: bytes) -> bool:
        return status in self.statuses and (not self.right or status != 200 or body in self.right)


@dataclass(slots=True)
class Heard:
    """Answers by kind of request and status, and the first of those that were wrong."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    num_wrong: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: "Heard") -> None:
        self.answers += other.answers
        self.num_wrong += other.num_wrong
        self.wrong += other.wrong

    def note_wrong(self, told: str) -> None:
        self.num_wrong += 1
        self.wrong += [told] if len(self.wrong) < MOST_KEPT else []


@dataclass(frozen=True, slots=True)
class Client:
    """Asks without a pause on one connection, until so many requests or seconds are over, whichever comes first."""

    port: int
    mix: Sequence[Asked]
    most: int
    seconds: float

    def run(self, seed: int) -> Heard:
        heard, draw, until = Heard(), random.Random(seed), time.monotonic() + self.seconds
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        for _ in range(self.most):
            if time.monotonic() >= until:
                break
            self._ask(connection, draw.choice(self.mix), heard)
        connection.close()
        return heard

    def _ask(self, connection: http.client.HTTPConnection, one: Asked, heard: Heard) -> None:
        try:
            connection.request(one.method, one.path, one.body, dict(one.headers))
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            heard.note_wrong(f"{one.kind}: {error!r}")
            connection.close()
            return
        heard.answers[one.kind, response.status] += 1
        if not one.is_right(response.status, body):
            heard.note_wrong(f"{one.kind}: {response.status} {body[:500]!r}")


def drive(client: Client, seeds: range) -> Heard:
    """As many clients as there are seeds, each a process: threads of one would wait for each other."""
    heard = Heard()
    # Not forked: a copy of a process that runs threads may have their locks, held for ever.
    with ProcessPoolExecutor(len(seeds), multiprocessing.get_context("spawn")) as clients:
        for one in clients.map(Client.run, repeat(client), seeds):
            heard.add(one)
    return heard
