"""A Redis that is killed, hung or slow: requests are ranked without it, in time, and with it once it is back."""

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from model.contract.request import RankRequest
from model.contract.stored_features import Entity
from service.errors import StoreUnavailable
from service.feature_store.breaker import MOST_FAILURES
from service.feature_store.redis import Redis
from service.ranking.pipeline import rank
from service.ranking.ranker import Ranker
from tests.service.redis_server import PASSWORD, RedisServer, dripping, redis_server
from tests.service.server import PATIENCE_S

TIMEOUT_S = 0.2
DOCUMENT = b'{"features": {"duration_s": 100.0}}'
REQUEST = RankRequest.model_validate({"user": {"id": "u1"}, "candidates": ["v1", "v2"]})


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


@pytest.fixture
def store(redis: RedisServer) -> Iterator[Redis]:
    with closing(Redis(redis.url, TIMEOUT_S)) as store:
        store.write(Entity.VIDEOS, "v1", DOCUMENT)
        yield store


def warnings(ranker: Ranker, store: Redis) -> list[str]:
    ranking = rank(REQUEST, ranker, store)
    assert sorted(ranking.ids) == ["v1", "v2"]
    return [one.kind.value for one in ranking.warnings]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_hung_one_costs_a_few_requests_their_budget_and_the_others_nothing(
    ranker: Ranker, store: Redis, redis: RedisServer, caplog: Any
) -> None:
    assert warnings(ranker, store) == []
    os.kill(redis.process.pid, signal.SIGSTOP)
    began = time.monotonic()
    assert [warnings(ranker, store) for _ in range(50)] == [["features_unavailable"]] * 50
    waited = time.monotonic() - began
    # Each of the first three waits once; the pause lets one more through for every second that this may take.
    assert waited < TIMEOUT_S * (MOST_FAILURES + 2 + waited)
    os.kill(redis.process.pid, signal.SIGCONT)
    until(lambda: warnings(ranker, store) == [])
    told = [one.getMessage() for one in caplog.records if one.name.startswith("service.feature_store")]
    assert len(told) == 2 and "ranked without it" in told[0] and "answers again" in told[1]


def test_a_killed_one_is_gone_until_it_is_back(
    ranker: Ranker, store: Redis, redis: RedisServer, tmp_path: Path
) -> None:
    assert warnings(ranker, store) == []
    redis.process.kill()
    redis.process.wait()
    assert warnings(ranker, store) == ["features_unavailable"]
    with pytest.raises(StoreUnavailable):
        store.write(Entity.VIDEOS, "v1", None)
    with redis_server(tmp_path, redis.port):
        until(lambda: warnings(ranker, store) == [])


def test_one_that_drips_is_given_the_budget_in_all(ranker: Ranker, redis: RedisServer) -> None:
    with dripping(redis.port) as port, closing(Redis(redis.url.replace(str(redis.port), str(port)), TIMEOUT_S)) as slow:
        began = time.monotonic()
        assert warnings(ranker, slow) == ["features_unavailable"]
        assert time.monotonic() - began < 10 * TIMEOUT_S


@pytest.mark.parametrize("url", ["redis://:{}@127.0.0.1:1", "redis://:wrong{}@127.0.0.1:{}", "redis://{}:{}@:x"])
def test_no_password_is_told(url: str, redis: RedisServer, ranker: Ranker, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    told = ""
    try:
        with closing(Redis(url.format(PASSWORD, redis.port), TIMEOUT_S)) as store:
            with pytest.raises(StoreUnavailable) as error:
                store.write(Entity.VIDEOS, "v1", DOCUMENT)
            told = str(error.value)
            for _ in range(MOST_FAILURES):
                assert warnings(ranker, store) == ["features_unavailable"]
    except ValueError as error:
        told = str(error)
    assert told and PASSWORD not in told + caplog.text
