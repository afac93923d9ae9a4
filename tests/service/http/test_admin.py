"""The admin API: changes channels, tells mistakes, and says so where it may not write."""

import errno
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from model.contract.registry.folder import FolderStorage
from model.contract.versions import set_live
from service.app import create_app
from service.settings import Settings
from tests.service.asgi import call
from tests.service.server import Answer
from tests.service.small_bundle import VERSION, republish


@pytest.fixture
def own(own_registry: Path) -> Path:
    republish(own_registry, "v-two")
    set_live(own_registry, VERSION)
    return own_registry


@pytest.fixture
def admin(own: Path) -> FastAPI:
    app = create_app(Settings(registry=str(own)))
    app.state.live.refresh()
    return app


def change(admin: FastAPI, path: str, body: Any = None, method: str = "POST") -> Answer:
    chunks = (json.dumps(body).encode(),) if body is not None else (b"",)
    return call(admin, method, f"/v1/admin/{path}", chunks)


def names(answer: Answer) -> dict[str, str]:
    assert answer.status == 200, answer
    return {channel: one["version"] for channel, one in answer.json["channels"].items()}


def test_a_version_is_promoted_and_rolled_back(admin: FastAPI) -> None:
    assert names(change(admin, "promote", {"version": "v-two"})) == {"live": "v-two", "previous": VERSION}
    admin.state.live.refresh()
    assert call(admin, "GET", "/readyz").json["version"] == "v-two"
    assert names(change(admin, "rollback")) == {"live": VERSION, "previous": "v-two"}


def test_trials_begin_and_end(admin: FastAPI) -> None:
    answer = change(admin, "canary", {"version": "v-two", "percent": 100})
    assert answer.json["channels"]["canary"] == {"version": "v-two", "percent": 100.0}
    assert names(change(admin, "shadow", {"version": "v-two"}))["shadow"] == "v-two"
    admin.state.live.refresh()
    ready = call(admin, "GET", "/readyz").json
    assert ready["channels"]["canary"] == {"version": "v-two", "percent": 100.0, "served": "v-two", "refused": None}
    ranked = [
        call(admin, "POST", "/v1/rank", (json.dumps({"candidates": ["v1"]} | user).encode(),)).json["version"]
        for user in ({"user": {"id": "u1"}}, {})
    ]
    assert ranked == ["v-two", VERSION]  # who names no user has the live one
    admin.state.live.shadow.take(admin.state.live.shadow._queue.get_nowait())  # and that is ranked again
    assert admin.state.live.shadow.disagreement.num_compared == 1
    for trial in ("canary", "shadow"):
        assert trial not in names(change(admin, trial, method="DELETE"))


def test_versions_are_listed(admin: FastAPI) -> None:
    found = change(admin, "versions", method="GET").json["versions"]
    assert {one["version"]: one["channels"] for one in found} == {VERSION: ["live"], "v-two": []}
    assert all(one["num_bytes"] > 10_000 for one in found)


@pytest.mark.parametrize(
    ("path", "body", "where", "nearest"),
    [
        ("promote", {"version": "v-tow"}, "version", "v-two"),
        ("promote", {"version": "../v-two"}, "version", "v-two"),
        ("promote", {"version": 2}, "version", None),
        ("promote", {"version": "v-two", "percent": 5}, "percent", None),
        ("promote", {}, "version", None),
        ("promote", [], "the whole", None),
        ("canary", {"version": "v-two", "percent": 101}, "percent", None),
        ("canary", {"version": "v-two", "percent": "5"}, "percent", None),
        ("canary", {"version": "v-two"}, "percent", None),
        ("shadow", {"version": ""}, "version", None),
    ],
)
def test_mistakes_have_their_place(admin: FastAPI, path: str, body: Any, where: str, nearest: str | None) -> None:
    answer = change(admin, path, body)
    assert (answer.status, answer.is_problem) == (422, True)
    assert answer.json["errors"][0]["where"] == where and answer.json["errors"][0].get("nearest") == nearest


def test_bodies_that_are_not_json(admin: FastAPI) -> None:
    assert call(admin, "POST", "/v1/admin/promote", (b"{",)).status == 400
    arrow = {"content-type": "application/vnd.apache.arrow.stream"}
    assert call(admin, "POST", "/v1/admin/promote", (b"{}",), arrow).status == 415


def test_rolling_back_to_nothing_is_told(admin: FastAPI) -> None:
    answer = change(admin, "rollback")
    assert answer.status == 422 and "a previous version to roll back to" in answer.json["detail"]


@pytest.mark.parametrize(
    ("number", "status", "kind"),
    [
        (errno.EROFS, 409, "registry-read-only"),
        (errno.EACCES, 409, "registry-read-only"),
        (errno.EIO, 503, "registry-un"),
    ],
)
def test_a_registry_that_refuses_is_told(
    admin: FastAPI, monkeypatch: pytest.MonkeyPatch, number: int, status: int, kind: str
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(number, "the place says no")

    monkeypatch.setattr(FolderStorage, "write", refuse)
    answer = change(admin, "promote", {"version": "v-two"})
    assert (answer.status, answer.is_problem) == (status, True)
    assert kind in answer.json["type"] and "the place says no" in answer.json["detail"]
    assert ("retry-after" in answer.headers) == (status == 503)


def test_a_registry_that_is_gone_lists_nothing(admin: FastAPI, own: Path) -> None:
    shutil.rmtree(own)
    assert change(admin, "versions", method="GET").json == {"versions": []}
    assert change(admin, "promote", {"version": "v-two"}).status == 503
