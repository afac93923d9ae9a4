"""The OpenAPI document: what FastAPI finds, and the schemas of what it does not parse or make itself."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from model.contract.request import RankRequest
from service.http.channels import CanaryTrial, Promotion
from service.http.problem import Problem

DESCRIPTION = """Ranks candidate videos for one user by what several tasks predict of them.

Errors are `application/problem+json` (RFC 9457) and name the place in the request, what was expected, what was found.
Every answer has the header `X-Request-Id`: the request's own `request_id`, or one made for it."""


def install(app: FastAPI) -> None:
    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = document["components"]["schemas"]
    for model in (RankRequest, Promotion, CanaryTrial, Problem):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        # A part that answers have too is described there already.
        schemas.update({name: one for name, one in schema.pop("$defs", {}).items() if name not in schemas})
        schemas[model.__name__] = schema
    return document
