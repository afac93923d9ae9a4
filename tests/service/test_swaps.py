"""Versions are swapped under constant load: no request fails, and each answer is that of the version it names."""

import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from model.contract.registry import open_registry
from model.contract.request import RankRequest
from service.http.answers import ranking_json
from service.ranking.pipeline import rank
from tests.service.memory import memory_mb
from tests.service.server import PATIENCE_S, Answer, Server, serving
from tests.service.small_bundle import VERSION, open_ranker, publish

OTHER = "v-two"
NUM_CLIENTS = 3
REQUESTS = [
    {
        "request_id": f"r{at}",
        "user": {"id": f"u{at % 8}"},
        "candidates": [f"v{(at * 7 + step) % 45}" for step in range(9)],
    }
    for at in range(16)
]


@pytest.fixture
def two_versions(own_registry: Path) -> Path:
    publish(own_registry, OTHER, seed=1)
    return own_registry


def expected(registry: Path) -> dict[str, list[Any]]:
    """By version, what each of REQUESTS must be answered."""
    found = {}
    for version in (VERSION, OTHER):
        ranker = open_ranker(registry / "versions" / version)
        rankings = [rank(RankRequest.model_validate(one), ranker) for one in REQUESTS]
        found[version] = [json.loads(ranking_json(one, "", ranker.bundle.manifest))["ranking"] for one in rankings]
    assert found[VERSION] != found[OTHER]
    return found


class Load:
    """Clients that ask without a pause. Keeps how many answers each version gave, and those that were wrong."""

    def __init__(self, server: Server, right: Mapping[str, list[Any]]) -> None:
        self.server, self.right = server, right
        self.wrong: list[Answer | str] = []
        self.given = dict.fromkeys(right, 0)
        self.stopping = threading.Event()

    def ask(self) -> None:
        at = 0
        while not self.stopping.is_set():
            at = (at + 1) % len(REQUESTS)
            try:
                answer = self.server.rank(REQUESTS[at])
            except OSError as error:
                self.wrong.append(repr(error))
                continue
            if answer.status != 200 or answer.json["ranking"] != self.right[answer.json["version"]][at]:
                self.wrong.append(answer)
            else:
                self.given[answer.json["version"]] += 1

    def wait_for(self, version: str, count: int) -> None:
        """Until so many more answers are of that version."""
        enough, deadline = self.given[version] + count, time.monotonic() + PATIENCE_S
        while self.given[version] < enough:
            assert time.monotonic() < deadline and not self.wrong, self.wrong[:3]
            time.sleep(0.005)


@contextmanager
def loading(server: Server, right: Mapping[str, list[Any]]) -> Iterator[Load]:
    load = Load(server, right)
    clients = [threading.Thread(target=load.ask) for _ in range(NUM_CLIENTS)]
    for one in clients:
        one.start()
    try:
        yield load
    finally:
        load.stopping.set()
        for one in clients:
            one.join()


def swap(registry: Path, load: Load, times: int) -> None:
    opened = open_registry(registry)
    for _ in range(times):
        was = opened.live().version
        now = OTHER if was == VERSION else VERSION
        opened.promote(now)
        load.wait_for(now, 10)


def agreed(server: Server, version: str) -> bool:
    """Whether all workers serve it, as far as thirty new connections can tell."""
    return all(server.rank(REQUESTS[0]).json["version"] == version for _ in range(30))


def test_twenty_swaps_under_load(two_versions: Path) -> None:
    with serving(two_versions, "--workers", "2") as server:
        server.wait_until_ready()
        with loading(server, expected(two_versions)) as load:
            swap(two_versions, load, times=20)
        assert not load.wrong and min(load.given.values()) >= 100
        live, deadline = open_registry(two_versions).live().version, time.monotonic() + PATIENCE_S
        while not agreed(server, live):
            assert time.monotonic() < deadline
        assert "Traceback" not in server.log_text and "refused" not in server.log_text


@pytest.mark.soak
def test_two_hundred_swaps_under_load_leave_memory_flat(two_versions: Path) -> None:
    with serving(two_versions, "--workers", "2") as server:
        server.wait_until_ready()
        with loading(server, expected(two_versions)) as load:
            swap(two_versions, load, times=40)
            before = memory_mb(server.process.pid)
            swap(two_versions, load, times=160)
            after = memory_mb(server.process.pid)
        told = f"200 swaps, {sum(load.given.values())} answers, {len(load.wrong)} wrong: {before:.0f} -> {after:.0f} MB"
        sys.stdout.write(f"\n{told}\n")
        assert not load.wrong and after < 1.05 * before
