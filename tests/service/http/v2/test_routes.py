"""The Open Inference Protocol, through the real app: the predictions of /v1/rank, probes, errors in its own shape."""

import copy
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI

from service.app import create_app
from service.http.v2.schemas import InferResponse, ModelMetadata
from service.ranking.ranker import Ranker
from service.settings import Settings
from tests.service.asgi import call
from tests.service.ranking.encoded import arrays_of, body_of, repeated
from tests.service.server import Answer
from tests.service.small_bundle import TASKS, VERSION

MODEL = "/v2/models/small"
HISTORY = [{"video_id": "v9", "outcomes": {"like": 1, "seen": 0}}, {"video_id": "v4", "outcomes": {"like": 0}}]
ASKED: dict[str, Any] = {
    "user": {"id": "u2", "history": HISTORY},
    "query": {"video_id": "v7"},
    "context": {"device": "ios", "hour": 20},
    "candidates": ["v1", "v2", "v39", "v12"],
}


def infer(app: FastAPI, body: Any, path: str = MODEL) -> Answer:
    return call(app, "POST", f"{path}/infer", [json.dumps(body).encode()])


def ranked(app: FastAPI, asked: dict[str, Any]) -> list[dict[str, float]]:
    """Every task's predictions, in the order of the candidates."""
    body = call(app, "POST", "/v1/rank", [json.dumps(asked).encode()]).json
    by_id = {one["id"]: one["predictions"] for one in body["ranking"]}
    return [by_id[one] for one in asked["candidates"]]


def rows_of(answer: Answer) -> list[dict[str, float]]:
    assert answer.status == 200, answer.body
    outputs = InferResponse.model_validate(answer.json).outputs
    count = len(outputs[0].data)
    assert all((one.datatype, one.shape) == ("FP32", [count, 1]) for one in outputs)
    return [{one.name: value for one in outputs if (value := one.data[at]) is not None} for at in range(count)]


def assert_same(found: list[dict[str, float]], expected: list[dict[str, float]]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, rel=1e-6, abs=1e-6)


@pytest.fixture(scope="module")
def body(ranker: Ranker) -> dict[str, Any]:
    return body_of(arrays_of(ASKED, ranker))


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("version", ["", f"/versions/{VERSION}"])
def test_it_predicts_what_ranking_does(app: FastAPI, ranker: Ranker, nested: bool, version: str) -> None:
    answer = infer(app, body_of(arrays_of(ASKED, ranker), nested), MODEL + version)
    assert_same(rows_of(answer), ranked(app, ASKED))
    assert set(answer.json) == {"model_name", "model_version", "outputs"}
    assert (answer.json["model_name"], answer.json["model_version"]) == ("small", VERSION)


def test_every_row_may_have_a_request_of_its_own(app: FastAPI, ranker: Ranker) -> None:
    """As tools that batch send them: what belongs to three requests, in no order."""
    asked = [ASKED | {"user": {"id": f"u{at}"}, "candidates": [f"v{at}", f"v{at + 10}"]} for at in (1, 4, 5)]
    apart = [repeated(arrays_of(one, ranker), ranker, 2) for one in asked]
    order = [3, 0, 5, 1, 4, 2]
    mixed = {name: np.concatenate([one[name] for one in apart])[order] for name in apart[0]}
    expected = [row for one in asked for row in ranked(app, one)]
    assert_same(rows_of(infer(app, body_of(mixed))), [expected[at] for at in order])


def test_some_arrays_of_the_request_may_be_shared(app: FastAPI, ranker: Ranker) -> None:
    arrays = arrays_of(ASKED, ranker)
    own = repeated(arrays, ranker, 4)
    assert_same(rows_of(infer(app, body_of(arrays | {"recent": own["recent"]}))), ranked(app, ASKED))


def test_the_outputs_that_are_wanted_and_the_id(
    app: FastAPI, body: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    wanted = {"id": "r-5", "parameters": {"any": 1}, "outputs": [{"name": "like"}, {"name": "click"}]}
    answer = infer(app, body | wanted)
    assert [one["name"] for one in answer.json["outputs"]] == ["like", "click"]
    assert (answer.json["id"], answer.headers["x-request-id"]) == ("r-5", "r-5")
    assert caplog.messages[-1].endswith(f"ms candidates=4 version={VERSION} request_id=r-5")


def test_the_metadata_are_what_infer_takes_and_gives(app: FastAPI, body: dict[str, Any]) -> None:
    for path in (MODEL, f"{MODEL}/versions/{VERSION}"):
        told = ModelMetadata.model_validate(call(app, "GET", path).json)
        assert (told.name, told.versions, told.platform) == ("small", [VERSION], "onnx_onnxruntime")
        described = {one.name: (one.datatype.value, one.shape[1:]) for one in told.inputs}
        assert described == {one["name"]: (one["datatype"], one["shape"][1:]) for one in body["inputs"]}
        assert all(one.shape[0] == -1 for one in told.inputs)
        assert [(one.name, one.datatype, one.shape) for one in told.outputs] == [
            (task.name, "FP32", [-1, 1]) for task in TASKS
        ]


def test_the_server_and_its_probes(app: FastAPI) -> None:
    assert call(app, "GET", "/v2").json == {"name": "watchnext", "version": app.version, "extensions": []}
    assert call(app, "GET", "/v2/health/live").json == {"live": True}
    assert call(app, "GET", "/v2/health/ready").json == {"ready": True}
    for path in (MODEL, f"{MODEL}/versions/{VERSION}"):
        assert call(app, "GET", f"{path}/ready").json == {"name": "small", "ready": True}


def test_before_a_version_is_ready(tmp_path: Path) -> None:
    app = create_app(Settings(registry=tmp_path / "none"))
    app.state.live.refresh()
    assert call(app, "GET", "/v2/health/live").status == 200
    for path in ("/v2/health/ready", MODEL, f"{MODEL}/ready", f"{MODEL}/versions/1/ready"):
        answer = call(app, "GET", path)
        assert (answer.status, list(answer.json), "retry-after" in answer.headers) == (503, ["error"], True)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/v2/models/other", "There is no such model: expected `small`, found `other`"),
        (f"{MODEL}/versions/v-two", f"There is no such model: expected version `{VERSION}`, which is live, found"),
        ("/v2/nothing", "There is nothing at this path"),
    ],
)
def test_what_is_not_there(app: FastAPI, body: dict[str, Any], path: str, told: str) -> None:
    answers = [call(app, "GET", path), call(app, "GET", f"{path}/ready"), infer(app, body, path)]
    assert [one.status for one in answers] == [404] * 3
    for one in answers:
        assert (list(one.json), one.headers["content-type"]) == (["error"], "application/json")
        assert one.json["error"].startswith(told)


def change(body: dict[str, Any], name: str, parts: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(body)
    next(one for one in changed["inputs"] if one["name"] == name).update(parts)
    return changed


@pytest.mark.parametrize(
    ("name", "parts", "told"),
    [
        ("author", {"name": "autor"}, "inputs[].name: expected an input of the model (`age`,"),
        ("author", {"name": "autor"}, "did you mean `author`?"),
        ("author", {"name": "video_id"}, "inputs[].name: expected each input once, found `video_id` again"),
        ("author", {"datatype": "INT64"}, "inputs[].datatype: expected `INT32` for `author`, found `INT64`"),
        ("author", {"shape": [3], "data": [2, 2, 2]}, "inputs[].shape: expected [4] for `author`, found [3]"),
        ("author", {"shape": [4, 1]}, "inputs[].shape: expected [4] for `author`, found [4, 1]"),
        ("author", {"data": [2, 2, 2, 5]}, "inputs[].data: expected codes from 0 to 4, found 5"),
        ("author", {"data": [2, 2, 2, -1]}, "inputs[].data: expected codes from 0 to 4, found -1"),
        ("author", {"data": [2, 2, 2, 10**30]}, "inputs[].data: expected codes from 0 to 4, found 1000"),
        ("author", {"data": [2, 2, 2, True]}, "inputs[].data: expected codes from 0 to 4, found true"),
        ("author", {"data": [2, 2, 2, 1.0]}, "inputs[].data: expected codes from 0 to 4, found 1.0"),
        ("author", {"data": [2, 2, 2]}, "inputs[].data: expected a list of 4, as the shape says, found one of 3"),
        ("author", {"data": [[2, 2, 2, 2]]}, "inputs[].data: expected a list of 4, as the shape says, found one of 1"),
        ("author", {"data": "2222"}, "inputs[].data: expected a valid array, found `2222`"),
        ("tags", {"data": [[2, 2, 2]] * 3 + [[]]}, "expected a list of 3, as the shape says, found one of 0"),
        ("tags", {"data": [[2, 2, 2]] * 3 + [7]}, "inputs[].data: expected a list of 3, as the shape says, found 7"),
        ("hour", {"data": [0.5, 1e39]}, "inputs[].data: expected finite numbers of 32 bits, found 1e+39"),
        ("hour", {"data": [0.5, "1"]}, "inputs[].data: expected finite numbers of 32 bits, found `1`"),
        ("hour", {"data": [0.5, float("nan")]}, "inputs[].data: expected"),
        ("hour", {"shape": [2, 2], "data": [0.5] * 4}, "inputs[].shape: expected [1, 2] or [4, 2] for `hour`, found"),
        ("video_id", {"shape": [0], "data": []}, ".shape: expected 1 to 50 rows, found 0"),
        ("video_id", {"shape": [51], "data": [0] * 51}, ".shape: expected 1 to 50 rows, found 51"),
        ("video_id", {"shape": []}, ".shape: expected a list with at least 1 item, found 0 of them"),
        ("video_id", {"shapes": [4]}, ".shapes: expected one of `name`, `shape`"),
    ],
)
def test_mistakes_are_told(app: FastAPI, body: dict[str, Any], name: str, parts: dict[str, Any], told: str) -> None:
    answer = infer(app, change(body, name, parts))
    assert (answer.status, list(answer.json)) == (422, ["error"])
    at = next(at for at, one in enumerate(body["inputs"]) if one["name"] == name)
    assert told.replace("inputs[]", f"inputs[{at}]") in answer.json["error"]
    assert "\n" not in answer.json["error"]


def test_an_input_that_is_missing_or_an_output_that_is_unknown(app: FastAPI, body: dict[str, Any]) -> None:
    answer = infer(app, {"inputs": [one for one in body["inputs"] if one["name"] != "author"]})
    assert "inputs: expected `author` among them, found none" in answer.json["error"]
    answer = infer(app, body | {"outputs": [{"name": "clik"}]})
    assert "outputs[0].name: expected a task (`click`" in answer.json["error"]
    assert "did you mean `click`?" in answer.json["error"]


def test_bodies_that_are_no_json(app: FastAPI) -> None:
    assert call(app, "POST", f"{MODEL}/infer", [b"{"]).status == 400
    arrow = {"content-type": "application/vnd.apache.arrow.stream"}
    assert call(app, "POST", f"{MODEL}/infer", [b"{}"], arrow).status == 415
    answer = call(app, "POST", f"{MODEL}/infer", [b"x" * 20_001])
    assert (answer.status, list(answer.json)) == (413, ["error"])
