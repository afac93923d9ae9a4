"""Examples of a ranking, and of what the live version is."""

import json
from typing import Any

from service.http.examples.refusals import MAX_BODY_BYTES, MAX_CANDIDATES
from service.http.examples.shapes import REQUEST_ID, VERSION, answer
from service.http.media import MediaType

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
RANKED = answer(
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
MODEL = answer(
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
