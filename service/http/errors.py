"""The table from errors to problems, and the handlers that read it; no other place knows a status."""

import math

from fastapi import FastAPI, Request, Response
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from model.contract.mistakes import InputError
from service.errors import (
    DeadlinePassed,
    Forbidden,
    NoSuchModel,
    NothingStored,
    NotReady,
    NowhereToStore,
    Overloaded,
    RegistryReadOnly,
    RegistryUnavailable,
    StoreUnavailable,
    TooManyRequests,
    TryLater,
    Unauthenticated,
)
from service.http.body_limit import BodyTooLarge, BodyTooSlow
from service.http.media import MalformedArrow, MalformedBody, UnsupportedBody
from service.http.problem import Asked, ProblemKind, problem_response, wrong_parts

TABLE: dict[type[Exception], ProblemKind] = {
    MalformedBody: ProblemKind(400, "malformed-json", "The body is not JSON"),
    MalformedArrow: ProblemKind(400, "malformed-arrow", "The body is not a whole Arrow stream"),
    Unauthenticated: ProblemKind(401, "unauthenticated", "No valid API key"),
    Forbidden: ProblemKind(403, "forbidden", "This is not allowed"),
    NoSuchModel: ProblemKind(404, "no-such-model", "There is no such model"),
    BodyTooSlow: ProblemKind(408, "body-too-slow", "The body took too long to arrive"),
    BodyTooLarge: ProblemKind(413, "body-too-large", "The body is too large"),
    UnsupportedBody: ProblemKind(415, "unsupported-body", "The body has an unsupported type or encoding"),
    InputError: ProblemKind(422, "invalid-request", "The request cannot be answered as it is"),
    TooManyRequests: ProblemKind(429, "too-many-requests", "The key's limit is reached"),
    NotReady: ProblemKind(503, "not-ready", "No version is ready to rank with"),
    Overloaded: ProblemKind(503, "overloaded", "More requests than can be answered"),
    DeadlinePassed: ProblemKind(504, "deadline-passed", "The request's time was over"),
    NothingStored: ProblemKind(404, "nothing-stored", "Nothing is stored of this id"),
    NowhereToStore: ProblemKind(409, "nowhere-to-store", "The service has no place to keep features"),
    StoreUnavailable: ProblemKind(503, "store-unavailable", "The feature store does not answer"),
    RegistryReadOnly: ProblemKind(409, "registry-read-only", "The service may not change its registry"),
    RegistryUnavailable: ProblemKind(503, "registry-unavailable", "The registry does not answer"),
}
# What the web framework refuses before any of our code runs.
FRAMEWORK = {
    404: ProblemKind(404, "not-found", "There is nothing at this path"),
    405: ProblemKind(405, "method-not-allowed", "This path does not have that method"),
}


def install(app: FastAPI) -> None:
    app.add_exception_handler(HTTPException, _tell_http)
    for error in TABLE:
        app.add_exception_handler(error, _tell)


async def _tell(request: Request, error: Exception) -> Response:
    kind = next(TABLE[one] for one in type(error).__mro__ if one in TABLE)
    request.state.trace.problem = kind.name
    mistakes = error.mistakes if isinstance(error, InputError) else ()
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    detail = f"{mistakes[0]}{more}" if mistakes else str(error)
    return problem_response(kind, Asked.of(request.scope), detail, wrong_parts(mistakes), _headers(error))


def _headers(error: Exception) -> dict[str, str]:
    if isinstance(error, TryLater):
        return {"Retry-After": str(math.ceil(error.retry_after_s))}
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": error.challenge}
    # The rest of a large body is read and dropped: a client that is still sending would not see an answer before a
    # closed connection. Who was too slow once is not waited for again.
    return {"Connection": "close"} if isinstance(error, BodyTooSlow) else {}


async def _tell_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = FRAMEWORK.get(error.status_code, ProblemKind(error.status_code, "http", error.detail))
    asked = Asked.of(request.scope)
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
    return problem_response(kind, asked, f"{error.detail}: {request.method} {asked.path}", headers=headers)


def _allowed(request: Request) -> str:
    """The methods of all routes at this path; the framework would name those of the first alone."""
    here = [one for one in iter_route_contexts(request.app.routes) if one.path_regex.match(request.scope["path"])]
    return ", ".join(sorted({method for one in here for method in one.methods or ()}))
