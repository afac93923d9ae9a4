"""/metrics and /v1/model/health of real servers under some load: exact with several workers, and drift that shows."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from model.contract.bundle import MANIFEST
from service.telemetry.folder import IN_MEMORY
from tests.service.server import Server, serving, wait_for
from tests.service.small_bundle import DEVICES, NUM_USERS, NUM_VIDEOS, TASKS, VERSION, republish
from tests.service.telemetry.scraped import Series, parsed, scrape, value

CANDIDATES = [f"v{at}" for at in range(NUM_VIDEOS)]


def as_trained(server: Server, num_requests: int) -> None:
    for at in range(num_requests):
        context = {"device": DEVICES[at % 2], "hour": at % 24}
        server.rank({"user": {"id": f"u{at % NUM_USERS}"}, "context": context, "candidates": CANDIDATES})


def shifted(server: Server, num_requests: int) -> None:
    """Videos that nobody knows, at midnight."""
    ids = [{"id": f"new{at}", "features": {"duration_s": 9000.0}} for at in range(NUM_VIDEOS)]
    for _ in range(num_requests):
        server.rank({"context": {"hour": 0}, "candidates": ids})


def psi(series: Series, family: str, name: str) -> float | None:
    return value(series, "drift_psi", family=family, name=name, version=VERSION)


def told_after(server: Server, load: Callable[[Server, int], object], *wanted: tuple[str, str]) -> Series:
    """Drift is told once enough was seen of a feature, and that of candidates is seen of some requests only."""
    for _ in range(20):
        load(server, 120)
        found = parsed(server.ask("GET", "/metrics").body)
        if all(psi(found, *one) is not None for one in wanted):
            return found
    raise AssertionError(f"{wanted} are not all told: {found}")


def test_any_of_two_workers_answers_for_both(registry: Path) -> None:
    with serving(registry, "--workers", "2") as server:
        server.wait_until_ready()
        as_trained(server, 60)
        server.rank({"user": {"id": "who"}, "candidates": ["v1", "new"], "context": {"device": "fridge"}})
        assert (server.rank(b"{").status, server.ask("GET", "/nowhere").status) == (400, 404)
        server.ask("GET", "/v2/models/any/ready")
        asked = {
            ("/v1/rank", "200"): 61,
            ("/v1/rank", "400"): 1,
            ("none", "404"): 1,
            ("/v2/models/{name}/ready", "404"): 1,
        }

        def both_have_told(series: Series) -> bool:
            found = {key: value(series, "requests_total", route=key[0], status=key[1]) for key in asked}
            return found == asked and value(series, "version_workers", version=VERSION, name="small") == 2

        for _ in range(10):  # whichever worker takes it
            found = scrape(server, both_have_told)
            assert value(found, "rank_seconds_count") == value(found, "candidates_count") == 61
            assert value(found, "candidates_sum") == 60 * NUM_VIDEOS + 2
            assert value(found, "stage_seconds_count", stage="predict") == 61
            for task in TASKS:
                labels = {"task": task.name, "version": VERSION, "le": "+Inf"}
                assert value(found, "prediction_bucket", **labels) == 60 * NUM_VIDEOS + 2
        for kind, feature in (("unknown_user", ""), ("unknown_candidate", ""), ("unknown_category", "device")):
            assert value(found, "warnings_total", kind=kind, feature=feature) == 1
        assert value(found, "version_workers", version=VERSION, name="small") == value(found, "workers") == 2
        assert (value(found, "unready_workers"), value(found, "refusing_workers")) == (0, 0)

        health = server.ask("GET", "/v1/model/health").json
        assert (health["version"], health["ranked"], health["workers"]["serving"]) == (VERSION, 61, 2)
        assert 0 < health["latency"]["p50_ms"] <= health["latency"]["p99_ms"]
        assert health["warnings"]["unknown_category device"] == pytest.approx(1 / 61)
        server.process.terminate()
        assert server.process.wait(30) == 0
    assert not list(IN_MEMORY.glob(f".watchnext-metrics*.{server.process.pid}.part"))


def test_drift_rises_with_other_traffic(registry: Path) -> None:
    with serving(registry) as server:
        server.wait_until_ready()
        as_trained(server, 120)
        found = parsed(server.ask("GET", "/metrics").body)
        assert psi(found, "feature", "hour") is None  # 120 values are too few to tell
        found = told_after(server, as_trained, ("prediction", "like"), ("feature", "video_id"))
        before = {name: psi(found, "prediction", name) or 0 for name in ("click", "like")}
        assert max(before.values()) < 0.1 and (psi(found, "feature", "video_id") or 0) < 0.1
        assert psi(found, "score", "balanced") is not None and psi(found, "score", "satisfied") is None
        for _ in range(5):
            found = told_after(server, shifted, ("feature", "duration_s"))
        assert all((psi(found, "prediction", name) or 0) > 0.25 > index for name, index in before.items())
        assert (psi(found, "feature", "video_id") or 0) > 0.5 and (psi(found, "feature", "duration_s") or 0) > 0.5
        told = server.ask("GET", "/v1/model/health").json["drift"]
        assert told["predictions"]["click"]["reading"] == told["features"]["duration_s"]["reading"] == "large"


def test_a_worker_that_died_still_counts_and_no_longer_serves(registry: Path) -> None:
    with serving(registry, "--workers", "2", "--log-format", "json") as server:
        server.wait_until_ready()
        as_trained(server, 20)
        scrape(server, lambda series: value(series, "rank_seconds_count") == 20)
        workers = {json.loads(line)["worker"] for line in server.log_text.splitlines() if '"/v1/rank"' in line}
        os.kill(workers.pop(), signal.SIGKILL)
        wait_for(lambda: server.ask("GET", "/readyz"), lambda _: server.log_text.count("serving version") == 3)
        found = scrape(server, lambda series: value(series, "workers") == 2)
        assert value(found, "rank_seconds_count") == 20


def test_a_refused_version_shows(own_registry: Path) -> None:
    with serving(own_registry) as server:
        server.wait_until_ready()
        republish(own_registry, "v-two", damage=lambda folder: (folder / MANIFEST).unlink())
        found = scrape(server, lambda series: value(series, "refusing_workers") == 1)
        assert value(found, "version_workers", version=VERSION, name="small") == 1
        assert "manifest" in server.ask("GET", "/v1/model/health").json["workers"]["refusals"][0]


def test_lines_of_json_carry_the_request_and_nothing_that_it_sent(registry: Path) -> None:
    with serving(registry, "--log-format", "json") as server:
        server.wait_until_ready()
        server.rank({"request_id": "r-77", "user": {"id": "very-private"}, "candidates": ["v1", "v2"]})
        server.process.terminate()
        server.process.wait(30)
        log = server.log_text
    lines = [json.loads(line) for line in log.splitlines()]
    [line] = [one for one in lines if one.get("request_id") == "r-77"]
    assert (line["method"], line["path"], line["status"]) == ("POST", "/v1/rank", 200)
    assert (line["candidates"], line["version"]) == (2, VERSION)
    assert line["duration_ms"] > 0 and line["worker"] == server.process.pid
    assert {"uvicorn.error", "service.registry.live"} <= {one["logger"] for one in lines}
    assert "very-private" not in log
