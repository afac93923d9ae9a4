"""The API, in this process: the answers as the wire has them."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from model.contract.answer import ModelResponse, RankResponse
from service.app import create_app
from service.settings import Settings
from tests.service.asgi import call
from tests.service.server import Answer
from tests.service.small_bundle import SCHEMA, TASKS, VERSION


def rank(app: FastAPI, **parts: Any) -> Answer:
    return call(app, "POST", "/v1/rank", [json.dumps({"candidates": ["v1", "v2"]} | parts).encode()])


def test_a_ranking(app: FastAPI) -> None:
    answer = rank(app, request_id="r-1", user={"id": "u1"})
    body = answer.json
    assert RankResponse.model_validate(body) and set(body) == {"request_id", "version", "policy", "ranking", "warnings"}
    assert (answer.status, body["request_id"], answer.headers["x-request-id"]) == (200, "r-1", "r-1")
    assert (body["version"], body["policy"], body["warnings"]) == (VERSION, "balanced", [])
    assert {one["id"] for one in body["ranking"]} == {"v1", "v2"}
    assert set(body["ranking"][0]) == {"id", "score", "predictions"}
    assert list(body["ranking"][0]["predictions"]) == [task.name for task in TASKS]


def test_an_explained_ranking_by_own_rules_with_warnings(app: FastAPI) -> None:
    rules = {"combination": "weighted_sum", "weights": {"mood": -1.0, "click": 2.0}}
    body = rank(app, policy=rules, explain=True, context={"device": "fridge"}, user={"id": "who"}).json
    assert RankResponse.model_validate(body) and body["policy"] is None
    for one in body["ranking"]:
        assert one["contributions"] == {
            "mood": pytest.approx(-one["predictions"]["mood"]),
            "click": pytest.approx(2 * one["predictions"]["click"]),
        }
        assert one["score"] == pytest.approx(sum(one["contributions"].values()))
    assert body["warnings"] == [
        {"kind": "unknown_user", "ids": ["who"]},
        {"kind": "unknown_category", "feature": "device", "values": ["fridge"]},
    ]


def test_the_same_request_has_the_same_answer(app: FastAPI) -> None:
    answers = {rank(app, request_id="r", candidates=[f"v{at}" for at in range(40)]).body for _ in range(3)}
    assert len(answers) == 1


def test_the_log_line_of_a_ranking(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    rank(app, request_id="r-7")
    assert caplog.messages[-1].startswith("POST /v1/rank 200 ")
    assert caplog.messages[-1].endswith(f"ms candidates=2 version={VERSION} request_id=r-7")


def test_the_settings_are_limits(app: FastAPI) -> None:
    told = rank(app, candidates=[f"v{at}" for at in range(51)]).json
    assert (told["status"], told["errors"][0]["expected"]) == (422, "at most 50 candidates")
    assert rank(app, top_k=51).status == 422
    assert rank(app, request_id="x" * 20_001).status == 413


def test_the_model(app: FastAPI) -> None:
    body = call(app, "GET", "/v1/model").json
    assert ModelResponse.model_validate(body)
    assert body["tasks"][1] == {"name": "watch_time", "kind": "regression", "group": "engagement", "unit": "s"}
    assert sum(map(len, body["features"].values())) == len(SCHEMA.features)
    assert {"name": "title", "kind": "vector"} in body["features"]["candidate"]
    assert list(body["policies"]) == ["balanced", "satisfied"]
    assert body["limits"] == {"max_candidates": 50, "max_body_bytes": 20_000}
    assert body["metrics"] == {"test": {"click": {"auc": 0.75}}}


def test_the_probes(app: FastAPI) -> None:
    assert call(app, "GET", "/healthz").json == {"status": "alive"}
    live = {"version": VERSION, "percent": None, "served": VERSION, "refused": None}
    expected = {"status": "ready", "version": VERSION, "refused": None, "channels": {"live": live}}
    assert call(app, "GET", "/readyz").json == expected


@pytest.mark.parametrize(("method", "path"), [("GET", "/readyz"), ("GET", "/v1/model"), ("POST", "/v1/rank")])
def test_before_a_version_is_ready(tmp_path: Path, method: str, path: str) -> None:
    app = create_app(Settings(registry=tmp_path / "none", registry_poll_s=2.5))
    app.state.live.refresh()
    answer = call(app, method, path, [b'{"candidates": ["v1"]}'])
    assert (answer.status, answer.is_problem, answer.headers["retry-after"]) == (503, True, "3")
    assert "expected a registry with a live version" in answer.json["detail"]
    assert call(app, "GET", "/healthz").status == 200


def test_nobody_is_led_elsewhere(app: FastAPI) -> None:
    answer = call(app, "POST", "/v1/rank/", [b"{}"], {"host": "elsewhere.example"})
    assert answer.status == 404 and "location" not in answer.headers


def test_a_wrong_method_is_told_all_that_the_path_has(app: FastAPI) -> None:
    answer = call(app, "PATCH", "/v1/features/users/a/b")
    assert (answer.status, answer.headers["allow"]) == (405, "DELETE, GET, PUT")
    assert call(app, "GET", "/v1/admin/canary").headers["allow"] == "DELETE, POST"


def test_the_documentation(app: FastAPI) -> None:
    assert b"swagger" in call(app, "GET", "/docs").body
