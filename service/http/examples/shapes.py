"""Shapes of examples: an answer, a problem, a body."""

import json
from collections.abc import Sequence
from typing import Any

from model.contract.answer import Problem
from model.contract.mistakes import Mistake
from service.http.errors import TABLE
from service.http.media import MediaType
from service.http.problem import MEDIA_TYPE, Asked, problem_response, wrong_parts

Answers = dict[int | str, dict[str, Any]]
REQUEST_ID = "r-1"
VERSION, NEW_VERSION = "20261121-1a2b3c4d", "20261128-5e6f7a8b"
RANK_PATH = "/v1/rank"


def answer(description: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {MediaType.JSON: {"example": value}}}


def problem(
    error: type[Exception], detail: str, errors: Sequence[Mistake] = (), path: str = RANK_PATH
) -> dict[str, Any]:
    response = problem_response(TABLE[error], Asked(path, REQUEST_ID), detail, wrong_parts(errors))
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    content = {MEDIA_TYPE: {"schema": schema, "example": json.loads(bytes(response.body))}}
    return {"description": TABLE[error].title, "content": content}


def either(one: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """Of a status that may mean either."""
    return {"description": f"{one['description']}; or: {shown['description']}", "content": shown["content"]}


def body(model: str, example: dict[str, Any]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model}"}
    return {"requestBody": {"required": True, "content": {MediaType.JSON: {"schema": schema, "example": example}}}}
