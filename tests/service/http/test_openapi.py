"""The OpenAPI document: complete, and with examples that the service itself accepts and could have sent."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from model.contract.request import RankRequest
from service.http import examples
from service.http.health import HealthResponse
from service.http.problem import Problem
from service.http.schemas import Alive, ModelResponse, RankResponse, Ready
from tests.service.asgi import call


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
        for content in answer["content"].values()
    }
    assert {status for path, status in answers if path == "/v1/rank"} == {"200", "400", "413", "415", "422", "503"}
    probes = {"/healthz", "/readyz", "/metrics"}
    assert {path for path, _ in answers} == {"/v1/rank", "/v1/model", "/v1/model/health", *probes}
    assert all("example" in content and "schema" in content for content in answers.values())


@pytest.mark.parametrize("request_", [examples.RANK_BY_IDS, examples.RANK_BY_FEATURES])
def test_the_example_requests_are_valid(request_: dict[str, Any]) -> None:
    RankRequest.model_validate_json(json.dumps(request_), strict=True)


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (RankResponse, examples.RANKED),
        (ModelResponse, examples.MODEL),
        (HealthResponse, examples.HEALTH),
        (Alive, examples.ALIVE),
        (Ready, examples.READY),
    ],
)
def test_the_example_answers_are_valid(model: Any, example: dict[str, Any]) -> None:
    model.model_validate(example["content"]["application/json"]["example"])


@pytest.mark.parametrize("name", ["MALFORMED", "TOO_LARGE", "UNSUPPORTED", "INVALID", "NOT_READY"])
def test_the_example_problems_are_valid(name: str) -> None:
    [content] = getattr(examples, name)["content"].values()
    problem = Problem.model_validate(content["example"])
    assert problem.type.startswith("urn:watchnext:problem:") and 400 <= problem.status < 600
