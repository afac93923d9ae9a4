"""Body: the bytes of POST /v1/rank to a RankRequest."""

from fastapi import Request
from pydantic import ValidationError
from pydantic_core import from_json

from model.contract.mistakes import InputError, of_validation
from model.contract.request import RankRequest
from service.http.access import Trace
from service.http.problem import MOST_MISTAKES


class UnsupportedBody(Exception):
    """A media type or an encoding that is not ours."""


class MalformedBody(Exception):
    """Not a JSON document."""


async def read_json(request: Request) -> bytes:
    """Raises UnsupportedBody; a body without a media type is taken for JSON."""
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type not in ("application/json", "text/json") and not media_type.endswith("+json"):
        raise UnsupportedBody(f"Expected Content-Type application/json, found {media_type[:100] or 'an empty one'}.")
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise UnsupportedBody(f"Expected a body without Content-Encoding, found {coding[:100] or 'an empty one'}.")
    return await request.body()


def parse(body: bytes, trace: Trace) -> RankRequest:
    """Also notes the request's own id. Raises MalformedBody or InputError."""
    try:
        request = RankRequest.model_validate_json(body, strict=True)
    except ValidationError as error:
        mistakes = of_validation(error, RankRequest, MOST_MISTAKES)
        if error.error_count() == 1 and error.errors()[0]["type"] == "json_invalid":
            raise MalformedBody(f"Expected a JSON document, found: {mistakes[0].found}.") from None
        if not any(one.where == "request_id" for one in mistakes):
            trace.request_id = _own_id(body) or trace.request_id
        raise InputError(*mistakes) from None
    trace.request_id = request.request_id or trace.request_id
    trace.num_candidates = len(request.candidates)
    return request


def _own_id(body: bytes) -> str | None:
    """The valid `request_id` of a request that is wrong elsewhere."""
    document = from_json(body)
    return document.get("request_id") if isinstance(document, dict) else None
