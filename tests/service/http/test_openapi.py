"""The OpenAPI document: complete, and with examples that the service itself accepts and could have sent."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from model.contract.answer import ModelResponse, Problem, RankResponse, Ready
from model.contract.request import RankRequest
from model.contract.stored_features import UserFeatures, VideoFeatures
from service.http.channels import CanaryTrial, Channels, Promotion, Versions
from service.http.examples import channels, features, figures, ranking, refusals
from service.http.health import HealthResponse
from service.http.probes import Alive
from service.http.v2 import examples as v2_examples
from service.http.v2.schemas import InferResponse, ModelMetadata, ModelReady, ServerLive, ServerMetadata, ServerReady
from service.ranking.tensors import InferRequest
from tests.service.asgi import call

FEATURE_PATHS = ("/v1/features/users/{id}", "/v1/features/videos/{id}")
EXAMPLE_PROBLEMS = [
    refusals.MALFORMED,
    refusals.TOO_LARGE,
    refusals.UNSUPPORTED,
    refusals.INVALID,
    refusals.NOT_READY,
    refusals.TOO_SLOW,
    refusals.TOO_LATE,
    features.INVALID_FEATURES,
    features.NOTHING_STORED,
    features.NOWHERE_TO_STORE,
    features.STORE_UNAVAILABLE,
    channels.UNKNOWN_VERSION,
    channels.READ_ONLY,
    channels.UNAVAILABLE,
]


@pytest.fixture(scope="module")
def document(app: FastAPI) -> Any:
    return call(app, "GET", "/openapi.json").json


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_every_reference_has_its_target(document: Any) -> None:
    found = set(references(document))
    assert "#/components/schemas/RankRequest" in found
    assert found <= {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}


def test_every_operation_shows_an_example_of_every_answer(document: Any) -> None:
    answers = {
        (path, status): content
        for path, operations in document["paths"].items()
        for operation in operations.values()
        for status, answer in operation["responses"].items()
        for content in answer.get("content", {}).values()
    }
    refused = {"401", "403", "429"}
    told = {"200", "400", "408", "413", "415", "422", "503", "504"} | refused
    assert {status for path, status in answers if path == "/v1/rank"} == told
    assert {status for path, status in answers if path == "/v1/model"} == {"200", "503"} | refused
    model, version = "/v2/models/{name}", "/v2/models/{name}/versions/{version}"
    inference = {one + path for one in (model, version) for path in ("", "/ready", "/infer")}
    server = {"/v2", "/v2/health/live", "/v2/health/ready"}
    ranking = {"/v1/rank", "/v1/model", *FEATURE_PATHS}
    admin = {f"/v1/admin/{name}" for name in ("versions", "promote", "rollback", "canary", "shadow")}
    probes = {"/healthz", "/readyz", "/metrics", "/v1/model/health"}
    assert {path for path, _ in answers} == probes | admin | ranking | inference | server
    assert {status for path, status in answers if path == model} == {"200", "404", "503"} | refused
    assert {status for path, status in answers if path == f"{model}/ready"} == {"200", "404", "503"}
    assert {status for path, status in answers if path == f"{version}/infer"} == told | {"404"}
    assert all("example" in content and "schema" in content for content in answers.values())


@pytest.mark.parametrize("request_", [ranking.RANK_BY_IDS, ranking.RANK_BY_FEATURES])
def test_the_example_requests_are_valid(request_: dict[str, Any]) -> None:
    RankRequest.model_validate_json(json.dumps(request_), strict=True)


def test_the_example_of_inference_is_valid() -> None:
    InferRequest.model_validate_json(json.dumps(v2_examples.INFERENCE), strict=True)


@pytest.mark.parametrize(("model", "example"), [(Promotion, channels.PROMOTION), (CanaryTrial, channels.CANARY)])
def test_the_example_changes_are_valid(model: type[BaseModel], example: dict[str, Any]) -> None:
    model.model_validate_json(json.dumps(example), strict=True)


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (RankResponse, ranking.RANKED),
        (ModelResponse, ranking.MODEL),
        (UserFeatures, features.GET_USER[200]),
        (VideoFeatures, features.GET_VIDEO[200]),
        (HealthResponse, figures.HEALTH),
        (Alive, figures.ALIVE),
        (Ready, figures.READY),
        (ServerMetadata, v2_examples.SERVER[200]),
        (ServerLive, v2_examples.LIVE[200]),
        (ServerReady, v2_examples.READY[200]),
        (ModelReady, v2_examples.MODEL_READY[200]),
        (ModelMetadata, v2_examples.METADATA[200]),
        (InferResponse, v2_examples.INFERRED[200]),
        (Channels, channels.ASSIGNED),
        (Versions, channels.PUBLISHED),
    ],
)
def test_the_example_answers_are_valid(model: Any, example: dict[str, Any]) -> None:
    model.model_validate(example["content"]["application/json"]["example"])


@pytest.mark.parametrize("shown", EXAMPLE_PROBLEMS)
def test_the_example_problems_are_valid(shown: dict[str, Any]) -> None:
    [content] = shown["content"].values()
    problem = Problem.model_validate(content["example"])
    assert problem.type.startswith("urn:watchnext:problem:") and 400 <= problem.status < 600
