"""The OpenAPI document: what FastAPI finds, and the schemas of what it does not parse or make itself."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from model.contract.answer import Problem
from model.contract.request import RankRequest
from model.contract.stored_features import UserFeatures, VideoFeatures
from service.http.channels import CanaryTrial, Promotion
from service.http.examples import refusals
from service.http.guarded import Guarded
from service.ranking.tensors import InferRequest

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
    _drop_framework_errors(document)
    for model in (RankRequest, UserFeatures, VideoFeatures, InferRequest, Promotion, CanaryTrial, Problem):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        # A part that answers have too is described there already.
        schemas.update({name: one for name, one in schema.pop("$defs", {}).items() if name not in schemas})
        schemas[model.__name__] = schema
    document["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, where the service has any."}
    }
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, Guarded):
            for method in context.methods or ():
                _declare(document["paths"][context.path_format][method.lower()])
    return document


def _declare(operation: dict[str, Any]) -> None:
    """That it may need a key, and how it is refused without."""
    operation["security"] = [{"key": []}, {}]
    for status, refusal in refusals.REFUSED.items():
        operation["responses"].setdefault(str(status), refusal)


def _drop_framework_errors(document: dict[str, Any]) -> None:
    """FastAPI declares its own 422 wherever a path has a parameter; any text is one, and its shape is not ours."""
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
    for operations in document["paths"].values():
        for operation in operations.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
