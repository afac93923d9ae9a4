"""Examples: one request and every kind of answer of the protocol, as the OpenAPI document shows them."""

from typing import Any

from model.contract.mistakes import InputError
from service.errors import (
    DeadlinePassed,
    Forbidden,
    NoSuchModel,
    NotReady,
    Overloaded,
    TooManyRequests,
    Unauthenticated,
)
from service.http.body_limit import BodyTooLarge, BodyTooSlow
from service.http.errors import TABLE
from service.http.examples import refusals, shapes
from service.http.media import MalformedBody, MediaType, UnsupportedBody
from service.http.problem import InferenceError

Responses = dict[int | str, dict[str, Any]]
NAME = "kuairand"
INFERENCE: dict[str, Any] = {
    "id": shapes.REQUEST_ID,
    "inputs": [
        {"name": "user_id", "shape": [1], "datatype": "INT32", "data": [17]},
        {"name": "video_id", "shape": [2], "datatype": "INT32", "data": [4, 1]},
        {"name": "duration_s", "shape": [2, 2], "datatype": "FP32", "data": [[0.8, 0.0], [-0.3, 0.0]]},
    ],
    "outputs": [{"name": "click"}],
}
INFER_REQUEST: dict[str, Any] = {
    "required": True,
    "content": {MediaType.JSON: {"schema": {"$ref": "#/components/schemas/InferRequest"}, "example": INFERENCE}},
}


def _answer(description: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {MediaType.JSON: {"example": value}}}


def _error(error: type[Exception], detail: str) -> Responses:
    kind = TABLE[error]
    return {kind.status: {"model": InferenceError, **_answer(kind.title, {"error": f"{kind.title}: {detail}"})}}


_NOT_READY = _error(NotReady, "registry: expected a registry with a live version, found none")
_NO_SUCH_MODEL = _error(NoSuchModel, f"expected `{NAME}`, found `kuairnd`")
_REFUSED: Responses = {
    **_error(Unauthenticated, "Expected a valid API key, found one that is not known."),
    **_error(Forbidden, "Expected a key with the scope `rank`, found one with `features`."),
    **_error(TooManyRequests, "The key's limit is 100 requests a second, 50 at once."),
}
SERVER: Responses = {200: _answer("The server", {"name": "watchnext", "version": "1", "extensions": []}), **_REFUSED}
LIVE: Responses = {200: _answer("Alive", {"live": True})}
READY: Responses = {200: _answer("Ready", {"ready": True}), **_NOT_READY}
MODEL_READY: Responses = {200: _answer("Ready", {"name": NAME, "ready": True}), **_NO_SUCH_MODEL, **_NOT_READY}
METADATA: Responses = {
    200: _answer(
        "The live version",
        {
            "name": NAME,
            "versions": [shapes.VERSION],
            "platform": "onnx_onnxruntime",
            "inputs": [
                {"name": "user_id", "datatype": "INT32", "shape": [-1]},
                {"name": "video_id", "datatype": "INT32", "shape": [-1]},
                {"name": "duration_s", "datatype": "FP32", "shape": [-1, 2]},
            ],
            "outputs": [{"name": "click", "datatype": "FP32", "shape": [-1, 1]}],
        },
    ),
    **_REFUSED,
    **_NO_SUCH_MODEL,
    **_NOT_READY,
}
INFERRED: Responses = {
    200: _answer(
        "An output a task",
        {
            "model_name": NAME,
            "model_version": shapes.VERSION,
            "id": shapes.REQUEST_ID,
            "outputs": [{"name": "click", "shape": [2, 1], "datatype": "FP32", "data": [0.31, 0.22]}],
        },
    ),
    **_error(MalformedBody, "Expected a JSON document, found: EOF while parsing a value at line 1 column 15."),
    **_REFUSED,
    **_NO_SUCH_MODEL,
    **_error(BodyTooSlow, str(BodyTooSlow(refusals.REQUEST_TIMEOUT_S))),
    **_error(BodyTooLarge, str(BodyTooLarge(refusals.MAX_BODY_BYTES))),
    **_error(UnsupportedBody, "Expected Content-Type application/json, found application/vnd.apache.arrow.stream."),
    **_error(InputError, "inputs[1].data: expected codes from 0 to 7583, found 7584"),
    **_error(Overloaded, "32 requests wait already, as many as may."),
    **_error(DeadlinePassed, "The request's time was over while it waited for its turn."),
}
