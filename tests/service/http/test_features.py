"""PUT, GET and DELETE of features, in this process: whatever the path names, whatever the body says."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI

from model.contract.stored_features import Entity
from service.app import STORED_AT_ONCE, create_app
from service.errors import StoreUnavailable
from service.feature_store.embedded import Embedded
from service.settings import Settings
from tests.service.asgi import call
from tests.service.server import Answer

VIDEO = {"features": {"author": "ann", "tags": ["music"], "duration_s": 31.5}}
USER = {"features": {"age": 30}, "history": [{"video_id": "v9", "outcomes": {"like": 1.0}}]}
PATHS = {Entity.USERS: USER, Entity.VIDEOS: VIDEO}


@pytest.fixture(scope="module")
def storing(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    path = tmp_path_factory.mktemp("features") / "features.sqlite"
    app = create_app(Settings(registry=registry, features_path=path, max_body_bytes=20_000))
    app.state.live.refresh()
    with closing(app.state.store):
        yield app


def send(app: FastAPI, method: str, path: str, body: Any = None, kind: str = "application/json") -> Answer:
    """As a server hands it over: the path decoded beside the raw one."""
    raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return call(app, method, f"/v1/features/{path}", [raw], {"content-type": kind})


def told(answer: Answer) -> list[str]:
    assert answer.is_problem
    return [f"{one['where']}: {one['found']}, nearest {one.get('nearest')}" for one in answer.json["errors"]]


@pytest.mark.parametrize("entity", Entity)
@pytest.mark.parametrize("one", ["v1", "a/b", "/", "ü 😀", "a?b#c%2F", "..", "x" * 512, "\0", "\n", "a\nb\n"])
def test_any_id_keeps_what_is_put_until_it_is_deleted(storing: FastAPI, entity: Entity, one: str) -> None:
    path, body = f"{entity}/{quote(one, safe='')}", PATHS[entity]
    missing = send(storing, "GET", path)
    assert (missing.status, missing.json["type"]) == (404, "urn:watchnext:problem:nothing-stored")
    assert send(storing, "PUT", path, body).status == 204
    assert send(storing, "GET", path).json == body
    assert send(storing, "PUT", path, {}).status == 204
    assert send(storing, "GET", path).json == {"features": {}}
    assert [send(storing, "DELETE", path).status for _ in range(2)] == [204, 204]
    assert send(storing, "GET", path).status == 404


def test_a_wrong_id_is_told(storing: FastAPI) -> None:
    for wrong in ("", "%FF", "x" * 513):
        assert told(send(storing, "PUT", f"videos/{wrong}", VIDEO))[0].startswith("the id in the path")
    assert send(storing, "PUT", "authors/a", VIDEO).status == 404


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("videos/v1", {"features": {"durations": 1}}, "features.durations: `durations`, nearest duration_s"),
        ("videos/v1", {"features": {"age": 1}}, "features.age: `age`, a feature of the user, nearest None"),
        ("videos/v1", {"features": {"video_id": "v2"}}, "features.video_id: a feature, nearest None"),
        ("videos/v1", {"features": {"duration_s": "long"}}, "features.duration_s: `long`, nearest None"),
        ("videos/v1", {"features": {"tags": ["a", 1.5]}}, "features.tags[1]: 1.5, nearest None"),
        ("videos/v1", {"features": {"title": [1.0]}}, "features.title: 1 numbers, nearest None"),
        ("videos/v1", {"features": {"duration_s": 10**30}}, "features: a larger one, nearest None"),
        ("videos/v1", {"history": []}, "history: `history`, nearest None"),
        ("videos/v1", [], "the whole: [], nearest None"),
        (
            "users/u1",
            {"features": {"author": "ann"}},
            "features.author: `author`, a feature of the candidate, nearest None",
        ),
        (
            "users/u1",
            {"history": [{"video_id": "v1", "outcomes": {"lik": 1}}]},
            "history[0].outcomes.lik: `lik`, nearest like",
        ),
        (
            "users/u1",
            {"history": [{"video_id": "v1", "outcomes": {"like": 1e300}}]},
            "history[0].outcomes.like: 1e+300, nearest None",
        ),
        ("users/u1", {"feature": {}}, "feature: `feature`, nearest features"),
    ],
)
def test_what_the_live_version_could_not_read_is_refused(storing: FastAPI, path: str, body: Any, expected: str) -> None:
    answer = send(storing, "PUT", path, body)
    assert (answer.status, told(answer)) == (422, [expected])
    assert send(storing, "GET", path).status == 404


def test_bodies_that_are_none(storing: FastAPI) -> None:
    assert send(storing, "PUT", "videos/v1", b"{").status == 400
    assert send(storing, "PUT", "videos/v1", {"features": {"author": "x" * 20_000}}).status == 413
    assert send(storing, "PUT", "videos/v1", VIDEO, "application/vnd.apache.arrow.stream").status == 415
    many = send(storing, "PUT", "videos/v1", {"features": {f"unknown {at}": 1 for at in range(500)}})
    assert (many.status, len(many.json["errors"])) == (422, 20)


def test_without_a_place_to_keep_them_the_answer_says_which_setting(app: FastAPI) -> None:
    for method, body in (("PUT", VIDEO), ("DELETE", None)):
        answer = send(app, method, "videos/v1", body)
        assert (answer.status, answer.is_problem) == (409, True)
        assert "--features-path" in answer.json["detail"]
    assert send(app, "GET", "videos/v1").status == 404


def test_writes_that_hang_are_refused_beyond_the_queue_and_take_no_place_of_a_ranking(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, go_on = threading.Semaphore(0), threading.Event()

    def hang(*_: Any) -> None:
        hanging.release()
        assert go_on.wait(30)

    monkeypatch.setattr(Embedded, "write", hang)
    app = create_app(Settings(registry=registry, features_path=tmp_path / "features", max_queue=0))
    app.state.live.refresh()
    with closing(app.state.store), ThreadPoolExecutor(STORED_AT_ONCE) as clients:
        accepted = [clients.submit(send, app, "PUT", "videos/v1", VIDEO) for _ in range(STORED_AT_ONCE)]
        try:
            assert all(hanging.acquire(timeout=30) for _ in accepted)
            refused = send(app, "PUT", "videos/v1", VIDEO)
            assert (refused.status, refused.headers["retry-after"]) == (503, "1")
            assert refused.json["type"] == "urn:watchnext:problem:overloaded"
            assert call(app, "POST", "/v1/rank", [b'{"candidates": ["v1"]}']).status == 200
        finally:
            go_on.set()
        assert [one.result(30).status for one in accepted] == [204] * STORED_AT_ONCE


def test_a_store_that_fails_is_a_503_here_and_a_warning_there(
    storing: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise StoreUnavailable("broken", 1.0)

    monkeypatch.setattr(Embedded, "read", fail)
    monkeypatch.setattr(Embedded, "write", fail)
    for method, body in (("PUT", VIDEO), ("GET", None), ("DELETE", None)):
        answer = send(storing, method, "videos/v1", body)
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    ranked = call(storing, "POST", "/v1/rank", [b'{"candidates": ["v1"]}'])
    assert ranked.json["warnings"] == [{"kind": "features_unavailable"}]
