"""Body: a JSON document to what it describes."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from model.contract.mistakes import MOST_MISTAKES, InputError, Strict, of_validation
from service.http.media import MalformedBody
from service.telemetry.trace import Trace

Kind = TypeVar("Kind", bound=Strict)
Document = TypeVar("Document", bound=BaseModel)


def read(kind: type[Document], document: bytes) -> Document:
    """Raises MalformedBody or InputError."""
    try:
        return kind.model_validate_json(document, strict=True)
    except ValidationError as error:
        mistakes = of_validation(error, kind, MOST_MISTAKES)
        if error.error_count() == 1 and error.errors()[0]["type"] == "json_invalid":
            raise MalformedBody(f"Expected a JSON document, found: {mistakes[0].found}.") from None
        raise InputError(*mistakes) from None


def parse(kind: type[Kind], document: bytes, trace: Trace, id_field: str = "request_id") -> Kind:
    """Also notes the request's own id. Raises MalformedBody or InputError."""
    try:
        request = read(kind, document)
    except InputError as error:
        if not any(one.where == id_field for one in error.mistakes):
            trace.request_id = _own_id(document, id_field) or trace.request_id
        raise
    trace.request_id = getattr(request, id_field) or trace.request_id
    return request


def _own_id(document: bytes, id_field: str) -> str | None:
    """The valid id of a request that is wrong elsewhere."""
    found = from_json(document)
    return found.get(id_field) if isinstance(found, dict) else None
