"""Body: a JSON document to what it describes."""

from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from model.contract.mistakes import InputError, of_validation
from model.contract.request import Asked
from service.http.media import MalformedBody
from service.http.problem import MOST_MISTAKES
from service.telemetry.trace import Trace

Kind = TypeVar("Kind", bound=Asked)


def parse(kind: type[Kind], document: bytes, trace: Trace) -> Kind:
    """Also notes the request's own id. Raises MalformedBody or InputError."""
    try:
        request = kind.model_validate_json(document, strict=True)
    except ValidationError as error:
        mistakes = of_validation(error, kind, MOST_MISTAKES)
        if error.error_count() == 1 and error.errors()[0]["type"] == "json_invalid":
            raise MalformedBody(f"Expected a JSON document, found: {mistakes[0].found}.") from None
        if not any(one.where == "request_id" for one in mistakes):
            trace.request_id = _own_id(document) or trace.request_id
        raise InputError(*mistakes) from None
    trace.request_id = request.request_id or trace.request_id
    return request


def _own_id(document: bytes) -> str | None:
    """The valid `request_id` of a request that is wrong elsewhere."""
    found = from_json(document)
    return found.get("request_id") if isinstance(found, dict) else None
