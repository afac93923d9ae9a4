"""Examples: one request and every kind of answer, as the OpenAPI document shows them."""

import json
from collections.abc import Sequence
from typing import Any

from model.contract.answer import Problem
from model.contract.mistakes import InputError, Mistake
from model.contract.stored_features import UserFeatures, VideoFeatures
from service.errors import (
    DeadlinePassed,
    Forbidden,
    NothingStored,
    NotReady,
    NowhereToStore,
    Overloaded,
    RegistryReadOnly,
    RegistryUnavailable,
    StoreUnavailable,
    TooManyRequests,
    Unauthenticated,
)
from service.http.body_limit import BodyTooLarge, BodyTooSlow
from service.http.errors import TABLE
from service.http.media import MalformedBody, MediaType, UnsupportedBody
from service.http.problem import MEDIA_TYPE, Asked, problem_response, wrong_parts
from service.settings import Settings

Answers = dict[int | str, dict[str, Any]]
REQUEST_ID = "r-1"
VERSION, NEW_VERSION = "20261121-1a2b3c4d", "20261128-5e6f7a8b"
RANK_PATH, VIDEO_PATH = "/v1/rank", "/v1/features/videos/new"
MAX_CANDIDATES, MAX_BODY_BYTES = (Settings.model_fields[name].default for name in ("max_candidates", "max_body_bytes"))
REQUEST_TIMEOUT_S = Settings.model_fields["request_timeout_ms"].default / 1000

RANK_BY_IDS = {"user": {"id": "u1"}, "query": {"video_id": "v42"}, "candidates": ["v1", "v2", "v3"], "top_k": 2}
RANK_BY_FEATURES: dict[str, Any] = {
    "request_id": REQUEST_ID,
    "user": {
        "id": "u1",
        "features": {"age_range": "25-34"},
        "history": [{"video_id": "v9", "outcomes": {"like": True, "long_view": 1}}],
    },
    "query": {"video_id": "v42"},
    "context": {"device": "ios", "tab": "1"},
    "candidates": [{"id": "v1"}, {"id": "new", "features": {"duration_s": 31.5, "tags": ["music", "live"]}}],
    "policy": {"combination": "weighted_sum", "weights": {"click": 1.0, "like": 5.0}},
    "explain": True,
}
# OpenAPI has no way to show bytes: these are the columns and the metadata of the stream.
ARROW_REQUEST = {
    "id": ["v1", "new"],
    "duration_s": [12.0, 31.5],
    "tags": [["music"], ["music", "live"]],
    "metadata": {"watchnext.request": '{"user": {"id": "u1"}, "context": {"device": "ios"}, "top_k": 2}'},
}
ARROW_SCHEMA = {
    "type": "string",
    "format": "binary",
    "description": "An Arrow IPC stream of one record batch: a row a candidate, a column `id`, and one for each inline "
    "feature. The schema's metadata has under `watchnext.request` the rest of the request, as JSON.",
}
RANK_REQUEST: dict[str, Any] = {
    "required": True,
    "content": {
        MediaType.JSON: {
            "schema": {"$ref": "#/components/schemas/RankRequest"},
            "examples": {
                "by ids": {"summary": "Everything is stored in the bundle", "value": RANK_BY_IDS},
                "by features": {"summary": "Inline features, own rules", "value": RANK_BY_FEATURES},
            },
        },
        MediaType.ARROW: {"schema": ARROW_SCHEMA, "example": ARROW_REQUEST},
    },
}


def _answer(description: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {MediaType.JSON: {"example": value}}}


def _problem(
    error: type[Exception], detail: str, errors: Sequence[Mistake] = (), path: str = RANK_PATH
) -> dict[str, Any]:
    response = problem_response(TABLE[error], Asked(path, REQUEST_ID), detail, wrong_parts(errors))
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    content = {MEDIA_TYPE: {"schema": schema, "example": json.loads(bytes(response.body))}}
    return {"description": TABLE[error].title, "content": content}


def _or(one: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """Of a status that may mean either."""
    return {"description": f"{one['description']}; or: {shown['description']}", "content": shown["content"]}


RANKED = _answer(
    "The candidates, best first",
    {
        "request_id": REQUEST_ID,
        "version": VERSION,
        "policy": "balanced",
        "ranking": [
            {"id": "v2", "score": 0.83, "predictions": {"click": 0.31, "watch_time": 42.1, "like": 0.02}},
            {"id": "v3", "score": 0.52, "predictions": {"click": 0.22, "watch_time": 35.7, "like": 0.01}},
        ],
        "warnings": [
            {"kind": "unknown_candidate", "ids": ["v3"]},
            {"kind": "unknown_category", "feature": "device", "values": ["fridge"]},
        ],
    },
)
RANKED["content"][MediaType.ARROW] = {
    "schema": {
        "type": "string",
        "format": "binary",
        "description": "Where `Accept` names it: a row a ranked candidate, and `watchnext.response` in the metadata.",
    },
    "example": {
        "id": ["v2", "v3"],
        "score": [0.83, 0.52],
        "prediction.click": [0.31, 0.22],
        "metadata": {"watchnext.response": json.dumps({"request_id": REQUEST_ID, "version": VERSION})},
    },
}
MODEL = _answer(
    "The live version",
    {
        "version": VERSION,
        "name": "kuairand",
        "created": "2026-11-21T03:29:18+00:00",
        "tasks": [
            {"name": "click", "kind": "binary", "group": "engagement", "unit": None},
            {"name": "watch_time", "kind": "regression", "group": "engagement", "unit": "s"},
        ],
        "features": {
            "user": [{"name": "user_id", "kind": "category"}, {"name": "recent", "kind": "history"}],
            "candidate": [{"name": "video_id", "kind": "category"}, {"name": "duration_s", "kind": "number"}],
        },
        "policies": {"balanced": {"combination": "weighted_product", "weights": {"click": 1.0, "watch_time": 0.7}}},
        "metrics": {"test": {"click": {"auc": 0.75}}},
        "limits": {"max_candidates": MAX_CANDIDATES, "max_body_bytes": MAX_BODY_BYTES},
    },
)
METRICS = {
    "description": "Prometheus' text format",
    "content": {
        "text/plain": {
            "schema": {"type": "string"},
            "example": 'watchnext_requests_total{route="/v1/rank",status="200"} 1.0\n',
        }
    },
}
HEALTH = _answer(
    "The live version's health",
    {
        "version": VERSION,
        "name": "kuairand",
        "since": "2026-11-21T03:31:00Z",
        "workers": {"total": 2, "serving": 2, "refusals": []},
        "ranked": 12_345,
        "candidates": 480.5,
        "latency": {"requests": 9_345, "p50_ms": 5.9, "p99_ms": 9.1},
        "warnings": {"unknown_user": 0.02, "unknown_candidate": 1.5, "unknown_category device": 0.001},
        "drift": {
            "predictions": {"click": {"psi": 0.04, "reading": "stable"}},
            "scores": {"balanced": {"psi": 0.12, "reading": "moderate"}},
            "features": {"device": {"psi": 0.31, "reading": "large"}},
        },
        "experts": {"gates": [], "experts": [], "alarms": []},
    },
)
ALIVE = _answer("Alive", {"status": "alive"})
READY = _answer(
    "Ready to rank",
    {
        "status": "ready",
        "version": VERSION,
        "refused": None,
        "channels": {
            "live": {"version": VERSION, "percent": None, "served": VERSION, "refused": None},
            "canary": {"version": NEW_VERSION, "percent": 5.0, "served": NEW_VERSION, "refused": None},
        },
    },
)
_WRONG_NAME = Mistake(
    "candidates[3].features.durations",
    "a feature of the candidate (`duration_s`, `tags`)",
    "`durations`",
    nearest="duration_s",
)
MALFORMED = _problem(MalformedBody, "Expected a JSON document, found: EOF while parsing a value at line 1 column 15.")
TOO_LARGE = _problem(BodyTooLarge, str(BodyTooLarge(MAX_BODY_BYTES)))
UNSUPPORTED = _problem(
    UnsupportedBody, "Expected Content-Type application/json or application/vnd.apache.arrow.stream, found text/csv."
)
INVALID = _problem(InputError, str(_WRONG_NAME), [_WRONG_NAME])
NOT_READY = _problem(
    NotReady, "registry: expected a registry with a live version (`watchnext train` publishes one), found none"
)
TOO_SLOW = _problem(BodyTooSlow, str(BodyTooSlow(REQUEST_TIMEOUT_S)))
OVERLOADED = _problem(Overloaded, "32 requests wait already, as many as may.")
NOT_READY_OR_OVERLOADED = _or(NOT_READY, OVERLOADED)
TOO_LATE = _problem(DeadlinePassed, "The request's time was over while it waited for its turn.")
# Of every route whose work is admitted.
ADMITTED: Answers = {408: TOO_SLOW, 413: TOO_LARGE, 503: NOT_READY_OR_OVERLOADED, 504: TOO_LATE}
# Of every route that needs a scope.
REFUSED = {
    401: _problem(Unauthenticated, "Expected a valid API key, found one that is not known."),
    403: _problem(Forbidden, "Expected a key with the scope `admin`, found one with `rank`."),
    429: _problem(TooManyRequests, "The key's limit is 100 requests a second, 50 at once."),
}

USER_FEATURES = {"features": RANK_BY_FEATURES["user"]["features"], "history": RANK_BY_FEATURES["user"]["history"]}
VIDEO_FEATURES = {"features": RANK_BY_FEATURES["candidates"][1]["features"]}
_WRONG_FEATURE = Mistake("features.durations", _WRONG_NAME.expected, _WRONG_NAME.found, _WRONG_NAME.nearest)
INVALID_FEATURES = _problem(InputError, str(_WRONG_FEATURE), [_WRONG_FEATURE], VIDEO_PATH)
NOTHING_STORED = _problem(NothingStored, "Nothing is stored of this id.", path=VIDEO_PATH)
NOWHERE_TO_STORE = _problem(NowhereToStore, "Expected --features-path with a file to keep them in.", path=VIDEO_PATH)
STORE_UNAVAILABLE = _problem(StoreUnavailable, "the feature store failed: TimeoutError", path=VIDEO_PATH)
_DONE: dict[str, Any] = {"description": "Done"}
_OF_STORE: Answers = {**ADMITTED, 422: INVALID_FEATURES, 503: _or(OVERLOADED, STORE_UNAVAILABLE)}
DELETE_FEATURES: Answers = {204: _DONE, 409: NOWHERE_TO_STORE, **_OF_STORE}
PUT_FEATURES: Answers = {**DELETE_FEATURES, 400: MALFORMED, 415: UNSUPPORTED}
_READ: Answers = {404: NOTHING_STORED, **_OF_STORE}
GET_USER: Answers = {200: _answer("What is stored of the user", USER_FEATURES), **_READ}
GET_VIDEO: Answers = {200: _answer("What is stored of the video", VIDEO_FEATURES), **_READ}


def _body(model: str, example: dict[str, Any]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model}"}
    return {"requestBody": {"required": True, "content": {MediaType.JSON: {"schema": schema, "example": example}}}}


USER_BODY = _body(UserFeatures.__name__, USER_FEATURES)
VIDEO_BODY = _body(VideoFeatures.__name__, VIDEO_FEATURES)
PROMOTION = {"version": NEW_VERSION}
CANARY = {"version": NEW_VERSION, "percent": 5.0}
ASSIGNED = _answer(
    "The channels as they are now",
    {
        "channels": {
            "live": {"version": NEW_VERSION, "percent": None},
            "previous": {"version": VERSION, "percent": None},
        }
    },
)
PUBLISHED = _answer(
    "The versions, the newest first",
    {
        "versions": [
            {
                "version": NEW_VERSION,
                "created": "2026-11-28T03:29:18+00:00",
                "num_bytes": 52_428_800,
                "channels": ["live"],
                "metrics": {"click": {"auc": 0.75}},
            }
        ]
    },
)
_NO_VERSION = Mistake("version", f"a version of registry (`{NEW_VERSION}`)", "`20261128`", nearest=NEW_VERSION)
UNKNOWN_VERSION = _problem(InputError, str(_NO_VERSION), [_NO_VERSION])
READ_ONLY = _problem(RegistryReadOnly, "registry: Read-only file system. Change it with the command `watchnext`.")
UNAVAILABLE = _problem(RegistryUnavailable, "s3://bucket/prefix: the connection timed out")
