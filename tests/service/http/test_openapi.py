"""The OpenAPI document: complete, and with examples that the service itself accepts and could have sent."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from model.contract.request import RankRequest
from service.http import examples
from service.http.channels import CanaryTrial, Channels, Promotion, Versions
from service.http.problem import Problem
from service.http.schemas import Alive, ModelResponse, RankResponse, Ready
from tests.service.asgi import call

EXAMPLE_PROBLEMS = (
    *("MALFORMED", "TOO_LARGE", "UNSUPPORTED", "INVALID", "NOT_READY"),
    *("UNKNOWN_VERSION", "READ_ONLY", "UNAVAILABLE"),
)


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
    admin = {f"/v1/admin/{name}" for name in ("versions", "promote", "rollback", "canary", "shadow")}
    assert {path for path, _ in answers} == {"/v1/rank", "/v1/model", "/healthz", "/readyz"} | admin
    assert all("example" in content and "schema" in content for content in answers.values())


@pytest.mark.parametrize("request_", [examples.RANK_BY_IDS, examples.RANK_BY_FEATURES])
def test_the_example_requests_are_valid(request_: dict[str, Any]) -> None:
    RankRequest.model_validate_json(json.dumps(request_), strict=True)


@pytest.mark.parametrize(("model", "example"), [(Promotion, examples.PROMOTION), (CanaryTrial, examples.CANARY)])
def test_the_example_changes_are_valid(model: type[BaseModel], example: dict[str, Any]) -> None:
    model.model_validate_json(json.dumps(example), strict=True)


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (RankResponse, examples.RANKED),
        (ModelResponse, examples.MODEL),
        (Alive, examples.ALIVE),
        (Ready, examples.READY),
        (Channels, examples.ASSIGNED),
        (Versions, examples.PUBLISHED),
    ],
)
def test_the_example_answers_are_valid(model: Any, example: dict[str, Any]) -> None:
    model.model_validate(example["content"]["application/json"]["example"])


@pytest.mark.parametrize("name", EXAMPLE_PROBLEMS)
def test_the_example_problems_are_valid(name: str) -> None:
    [content] = getattr(examples, name)["content"].values()
    problem = Problem.model_validate(content["example"])
    assert problem.type.startswith("urn:watchnext:problem:") and 400 <= problem.status < 600
