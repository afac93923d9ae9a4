"""More than a server can do, a worker that dies of it, and the end: every request is answered, or its client knows."""

import http.client
import json
import os
import random
import re
import signal
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from service.settings import num_cores
from tests.service.server import Server, serving, wait_for
from tests.service.small_bundle import user, video

# Inline features are encoded, and run through one graph more: so much that clients in Python can ask for too much.
HEAVY = json.dumps(
    {"user": user(3), "candidates": [{"id": f"new{at}", "features": video(at)} for at in range(800)]}
).encode()
LIGHT = b'{"candidates": ["v1", "v2"]}'
JSON = {"content-type": "application/json"}
NUM_SENDERS = 24
# One request is computed at a time, whatever the machine has.
ONE_AT_ONCE = ("--runtime-threads", str(num_cores()))


@dataclass
class Told:
    """What clients heard: by status, 0 where a connection broke; seconds of those with 200."""

    statuses: Counter[int] = field(default_factory=Counter)
    accepted_s: list[float] = field(default_factory=list)
    refused_s: list[float] = field(default_factory=list)

    def add(self, other: "Told") -> None:
        self.statuses += other.statuses
        self.accepted_s += other.accepted_s
        self.refused_s += other.refused_s

    @property
    def p99_s(self) -> float:
        return statistics.quantiles(self.accepted_s, n=100)[98]


def keep_asking(server: Server, body: bytes, enough: Callable[[], bool]) -> Told:
    """One client: the next request when the last is answered, on one connection while it lasts."""
    told = Told()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    while not enough():
        began = time.perf_counter()
        try:
            connection.request("POST", "/v1/rank", body, JSON)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            told.statuses[0] += 1
            connection.close()
            continue
        told.statuses[response.status] += 1
        (told.accepted_s if response.status == 200 else told.refused_s).append(time.perf_counter() - began)
        if response.status == 503:
            assert response.headers["retry-after"] == "1"
    connection.close()
    return told


def together(server: Server, num_clients: int, body: bytes, enough: Callable[[], Callable[[], bool]]) -> Told:
    with ThreadPoolExecutor(num_clients) as clients:
        asked = [clients.submit(keep_asking, server, body, enough()) for _ in range(num_clients)]
        told = Told()
        for one in asked:
            told.add(one.result())
    return told


def times(number: int) -> Callable[[], Callable[[], bool]]:
    def fresh() -> Callable[[], bool]:
        asked = count()
        return lambda: next(asked) >= number

    return fresh


def for_seconds(seconds: float) -> Callable[[], Callable[[], bool]]:
    until = time.monotonic() + seconds
    return lambda: lambda: time.monotonic() >= until


def test_beyond_its_queue_it_answers_503_and_nothing_is_dropped(registry: Path) -> None:
    with serving(registry, *ONE_AT_ONCE, "--max-queue", "1") as server:
        server.wait_until_ready()
        told = together(server, 12, HEAVY, times(10))
        assert set(told.statuses) == {200, 503} and told.statuses.total() == 120
        assert server.rank({"candidates": ["v1"]}).status == 200
        assert server.log_text.count(" 503 ") == told.statuses[503] and "Traceback" not in server.log_text


def test_a_queue_that_all_clients_fit_in_refuses_nobody(registry: Path) -> None:
    with serving(registry, *ONE_AT_ONCE, "--max-queue", "11") as server:
        server.wait_until_ready()
        assert together(server, 12, HEAVY, times(10)).statuses == {200: 120}


def test_what_waits_too_long_is_told_so(registry: Path) -> None:
    with serving(registry, *ONE_AT_ONCE, "--max-queue", "100") as server:
        server.wait_until_ready()
        stop = threading.Event()
        with ThreadPoolExecutor(12) as clients:
            busy = [clients.submit(keep_asking, server, HEAVY, stop.is_set) for _ in range(12)]
            hurried = wait_for(
                lambda: server.ask("POST", "/v1/rank", HEAVY, JSON | {"x-request-timeout-ms": "1"}),
                lambda answer: answer.status == 504,
            )
            stop.set()
            assert {status for one in busy for status in one.result().statuses} == {200}
        assert hurried.is_problem and hurried.json["type"] == "urn:watchnext:problem:deadline-passed"
        wrong = server.ask("POST", "/v1/rank", LIGHT, JSON | {"x-request-timeout-ms": "soon"})
        assert wrong.status == 422 and wrong.json["errors"][0]["where"] == "X-Request-Timeout-Ms"


def pids(server: Server) -> list[int]:
    return [int(one) for one in re.findall(r"Started server process \[(\d+)\]", server.log_text)]


def test_a_killed_worker_is_replaced_and_harms_only_what_it_had(registry: Path) -> None:
    num_clients = 8
    with serving(registry, "--workers", "2", "--max-queue", "100") as server:
        server.wait_until_ready()
        wait_for(lambda: server.ask("GET", "/readyz"), lambda _: server.log_text.count("serving version") == 2)
        stop = threading.Event()
        with ThreadPoolExecutor(num_clients) as clients:
            asked = [clients.submit(keep_asking, server, LIGHT, stop.is_set) for _ in range(num_clients)]
            time.sleep(0.3)
            os.kill(pids(server)[0], signal.SIGKILL)
            wait_for(lambda: server.ask("GET", "/healthz"), lambda _: server.log_text.count("serving version") == 3)
            stop.set()
            told = sum((one.result().statuses for one in asked), Counter())
        assert set(told) <= {0, 200} and told[200] > num_clients
        assert told[0] <= num_clients  # a connection each at most, those of the dead worker
        server.process.terminate()
        assert server.process.wait(30) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_before_the_end_it_is_not_ready_but_answers(registry: Path, workers: str) -> None:
    with serving(registry, "--workers", workers, "--drain-s", "2") as server:
        server.wait_until_ready()
        wait_for(
            lambda: server.ask("GET", "/healthz"), lambda _: server.log_text.count("serving version") == int(workers)
        )
        server.process.terminate()
        told = wait_for(lambda: server.ask("GET", "/readyz"), lambda answer: answer.status == 503)
        assert "about to stop" in told.json["detail"]
        answer = server.rank({"candidates": ["v1"]})
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert server.process.wait(30) == 0
        assert server.log_text.count("not ready any more; stopping in 2 s") == int(workers)
        assert "Traceback" not in server.log_text


def wait_between(mean_s: float, seed: int) -> Callable[[], None]:
    """Arrivals of a Poisson process, whatever the answers take: who is late sends at once."""
    random_, due = random.Random(seed), time.monotonic()

    def wait() -> None:
        nonlocal due
        due += random_.expovariate(1 / mean_s)
        time.sleep(max(0.0, due - time.monotonic()))

    return wait


def at_rate(server: Server, per_s: float, seconds: float) -> Told:
    """As many clients as a refused or accepted request needs, to send so many together whatever is answered."""
    until, seeds = for_seconds(seconds)(), count()

    def fresh() -> Callable[[], bool]:
        wait = wait_between(NUM_SENDERS / per_s, next(seeds))

        def enough() -> bool:
            wait()
            return until()

        return enough

    return together(server, NUM_SENDERS, HEAVY, fresh)


@pytest.mark.soak
def test_at_four_times_its_capacity_what_is_accepted_keeps_its_latency(registry: Path) -> None:
    """Capacity: what is answered a second where as many clients ask as have a place."""
    with serving(registry, *ONE_AT_ONCE, "--max-queue", "3") as server:
        server.wait_until_ready()
        full, over, sent = Told(), Told(), 0.0
        for _ in range(12):  # in short turns: what else the machine does then falls on both
            capacity = together(server, 1 + 3, HEAVY, for_seconds(1)).statuses[200]
            full.add(at_rate(server, capacity, 2))
            over.add(at_rate(server, 4 * capacity, 2))
            sent += 4 * capacity * 2
    p99 = [f"{one.p99_s * 1000:.0f} ms" for one in (full, over)]
    sys.stdout.write(f"p99 at capacity and at four times it: {p99}; {full.statuses}, {over.statuses}\n")
    assert set(full.statuses) <= {200, 503} and set(over.statuses) == {200, 503}
    assert over.statuses.total() > sent / 2  # most of what was meant to be sent was
    assert statistics.median(over.refused_s) < statistics.median(over.accepted_s)
    assert over.p99_s <= 2 * full.p99_s
