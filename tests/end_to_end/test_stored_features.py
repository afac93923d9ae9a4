"""Features that change between trainings, over a running service: what is stored is ranked as if it were inline."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from model.contract.stored_features import Entity
from tests.service.redis_server import redis_server
from tests.service.server import Server, serving, wait_for
from tests.service.small_bundle import publish, republish, user
from training.stored_features import Table, load_table

NEW = {"author": "ann", "tags": ["music", "live"], "duration_s": 31.5, "title": [0.1, 0.2, 0.3]}
BY_ID = {"user": {"id": "new user"}, "context": {"device": "ios"}, "candidates": ["v1", "new", "v2"]}
INLINE = BY_ID | {"user": {"id": "new user"} | user(3), "candidates": ["v1", {"id": "new", "features": NEW}, "v2"]}


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    publish(tmp_path / "registry")
    return tmp_path / "registry"


def put(server: Server, path: str, body: Any) -> int:
    return server.ask("PUT", f"/v1/features/{path}", json.dumps(body).encode()).status


def ranked(server: Server, request: Any) -> Any:
    answer = server.rank(request)
    assert answer.status == 200, answer.body
    return answer.json["ranking"]


def test_a_new_video_is_ranked_by_all_workers_after_a_kill_and_by_the_next_version(
    registry: Path, tmp_path: Path
) -> None:
    options = ("--features-path", str(tmp_path / "features.sqlite"))
    with serving(registry, *options) as server:
        server.wait_until_ready()
        expected = ranked(server, INLINE)
        assert ranked(server, BY_ID) != expected
        assert [put(server, "videos/new", {"features": NEW}), put(server, "users/new%20user", user(3))] == [204, 204]
        server.process.kill()
    with serving(registry, *options, "--workers", "2") as server:
        server.wait_until_ready()
        assert all(ranked(server, BY_ID) == expected for _ in range(20))
        assert server.rank(BY_ID).json["warnings"] == []
        republish(registry, "v-two")
        wait_for(lambda: server.rank(BY_ID), lambda answer: answer.json["version"] == "v-two")
        assert ranked(server, BY_ID) == expected
        assert server.ask("DELETE", "/v1/features/videos/new").status == 204
        assert all(ranked(server, BY_ID) != expected for _ in range(20))


def test_a_redis_is_shared_by_services_and_told_in_no_log(registry: Path, tmp_path: Path) -> None:
    with redis_server(tmp_path) as redis:
        options = ("--feature-store", "redis", "--redis-url", redis.url, "--feature-timeout-ms", "2000")
        with serving(registry, *options) as one, serving(registry, *options, "--workers", "2") as other:
            one.wait_until_ready()
            other.wait_until_ready()
            assert [put(one, "videos/new", {"features": NEW}), put(one, "users/new%20user", user(3))] == [204, 204]
            assert ranked(other, BY_ID) == ranked(other, INLINE)
            redis.process.kill()
            redis.process.wait()
            answer = other.rank(BY_ID)
            assert answer.status == 200 and {"kind": "features_unavailable"} in answer.json["warnings"]
            assert put(one, "videos/new", {}) == 503
            assert "hunter2" not in one.log_text + other.log_text


def test_the_tables_of_training_loaded_as_they_are_change_no_prediction(
    small_registry: Path, logs: Path, tmp_path: Path
) -> None:
    """Nor could they be told from what the bundle has, but that candidates are computed anew."""
    store, quiet = tmp_path / "features.sqlite", Console(quiet=True)
    videos = pl.read_parquet(logs / "videos.parquet")
    ids = videos["video_id"].cast(pl.String).head(100).to_list()
    users = pl.read_parquet(logs / "users.parquet")["user_id"].cast(pl.String).head(5).to_list()
    for entity in Entity:
        table = Table(str(logs / f"{entity}.parquet"), entity, None, ())
        assert load_table(table, str(store), small_registry, quiet) == len(pl.read_parquet(logs / f"{entity}.parquet"))
    with serving(small_registry) as plain, serving(small_registry, "--features-path", str(store)) as stored:
        plain.wait_until_ready()
        stored.wait_until_ready()
        for one in users:
            request = {"user": {"id": one}, "candidates": ids}
            found = {row["id"]: row["predictions"] for row in ranked(stored, request)}
            for row in ranked(plain, request):
                assert found[row["id"]] == pytest.approx(row["predictions"], rel=1e-5, abs=1e-5)
