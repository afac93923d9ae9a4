"""A million requests of every kind, while versions change: all answers right, and memory as it was."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest
from fastapi import FastAPI

from model.contract.registry import open_registry
from service.app import create_app
from service.protection.keys import new_key, write_keys
from service.protection.scope import Scope
from service.settings import Settings
from tests.service.asgi import call
from tests.service.memory import memory_mb
from tests.service.mixture import mix
from tests.service.server import Server, serving
from tests.service.small_bundle import VERSION, publish
from tests.service.traffic import Asked, Client, Heard, drive

OTHER = "v-two"
NUM_CLIENTS, NUM_TURNS = 4, 10
SWAP_EVERY_S, SCRAPE_EVERY_S, SETTLED_S = 5.0, 1.0, 2.0


def answered(asked: Sequence[Asked], apps: list[FastAPI]) -> list[Asked]:
    """With what is right, said by an app of each version in this process that has the same features stored."""
    for one in asked:
        if one.kind == "PUT":
            assert call(apps[0], one.method, one.path, [one.body], one.headers).status == 204
    found = []
    for one in asked:
        if one.path == "/v1/rank" and 200 in one.statuses:
            answers = [call(app, one.method, one.path, [one.body], one.headers) for app in apps]
            assert {answer.status for answer in answers} == {200}, answers[0].body
            one = replace(one, right=frozenset(answer.body for answer in answers))
            assert len(one.right) == len(apps)
        found.append(one)
    return found


@contextmanager
def every(seconds: float, act: Callable[[], object]) -> Iterator[None]:
    """Meanwhile, in a thread. Where it fails, pytest fails the test (filterwarnings in pyproject.toml)."""
    stopping = threading.Event()

    def repeat() -> None:
        while not stopping.wait(seconds):
            act()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def swap(registry: Path, swaps: Iterator[int]) -> None:
    opened = open_registry(registry)
    opened.promote(OTHER if opened.live().version == VERSION else VERSION)
    next(swaps)


def scrape(server: Server) -> None:
    assert server.ask("GET", "/metrics").status == 200


def count_lines(server: Server) -> int:
    """Lines of the access log. Every line of the log is JSON, and none tells of a failure."""
    number = 0
    with server.log.open("rb") as lines:
        for line in lines:
            told = json.loads(line)
            assert told["level"] in {"info", "warning"}, line
            number += told["message"] == "request"
    return number


@pytest.fixture
def two_versions(own_registry: Path) -> Path:
    publish(own_registry, OTHER, seed=1)
    return own_registry


@pytest.fixture
def apps(two_versions: Path, tmp_path: Path) -> Iterator[list[FastAPI]]:
    """One a version, which share a store."""
    opened = []
    for version in (OTHER, VERSION):
        open_registry(two_versions).promote(version)
        opened.append(create_app(Settings(registry=two_versions, features_path=tmp_path / "expected.sqlite")))
        opened[-1].state.live.refresh()
    yield opened
    for app in opened:
        app.state.store.close()


def keys_in(folder: Path) -> tuple[str, str]:
    """Two keys that its file of keys then has: one for all that is asked, one that may ask little."""
    fast, slow = new_key(frozenset({Scope.RANK, Scope.FEATURES})), new_key(frozenset({Scope.RANK}), requests_per_s=2)
    write_keys(folder / "keys.json", (fast[0], slow[0]))
    return str(fast[1]), str(slow[1])


@dataclass(frozen=True, slots=True)
class Endured:
    """`memory_mb` after each turn."""

    heard: Heard
    memory_mb: list[float]
    num_swaps: int
    num_logged: int


def endure(registry: Path, asked: Sequence[Asked], folder: Path, turns: list[tuple[int, float]]) -> Endured:
    """`turns` have the requests of each and its seconds, at most. A server that starts with the keys of `folder`."""
    heard, memory, swaps = Heard(), [], count()
    options = ["--workers", "2", "--api-keys", str(folder / "keys.json"), "--key-requests-per-s", "100000"]
    options += ["--log-format", "json", "--features-path", str(folder / "stored.sqlite")]
    with serving(registry, *options) as server:
        server.wait_until_ready()
        for one in asked:
            if one.kind == "PUT":
                assert server.ask(one.method, one.path, one.body, one.headers).status == 204
        for turn, (most, seconds) in enumerate(turns):
            client = Client(server.port, asked, most // NUM_CLIENTS, seconds)
            with every(SWAP_EVERY_S, lambda: swap(registry, swaps)), every(SCRAPE_EVERY_S, lambda: scrape(server)):
                heard.add(drive(client, range(turn * NUM_CLIENTS, (turn + 1) * NUM_CLIENTS)))
            time.sleep(SETTLED_S)
            memory.append(memory_mb(server.process.pid))
        return Endured(heard, memory, next(swaps), count_lines(server))


def test_some_requests_of_every_kind(two_versions: Path, apps: list[FastAPI], tmp_path: Path) -> None:
    asked = answered(mix(*keys_in(tmp_path)), apps)
    found = endure(two_versions, asked, tmp_path, [(2_000, 60.0)])
    assert found.heard.num_wrong == 0, found.heard.wrong
    assert {kind for kind, _ in found.heard.answers} == {one.kind for one in asked}
    assert found.num_logged >= found.heard.answers.total()


@pytest.mark.soak
def test_memory_is_flat_and_every_answer_right(
    two_versions: Path, apps: list[FastAPI], tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    most, minutes = pytestconfig.getoption("--soak-requests"), pytestconfig.getoption("--soak-minutes")
    asked = answered(mix(*keys_in(tmp_path)), apps)
    found = endure(two_versions, asked, tmp_path, [(most // NUM_TURNS, 60 * minutes / NUM_TURNS)] * NUM_TURNS)
    answers, memory = found.heard.answers, found.memory_mb
    told = f"{answers.total()} requests, {found.num_swaps} swaps, {found.heard.num_wrong} wrong"
    sys.stdout.write(f"\n{told}; MB after each tenth: {[round(one, 1) for one in memory]}\n{dict(answers)}\n")
    assert found.heard.num_wrong == 0, found.heard.wrong
    assert set(answers) == {(one.kind, status) for one in asked for status in one.statuses}
    assert found.num_logged >= answers.total()
    assert memory[-1] < 1.05 * memory[0]
