"""A mixture: requests of every kind that a service of the small bundle gets, each as often as it is to be sent."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from service.http.arrow import REQUEST_KEY
from service.http.media import MediaType
from tests.service.small_bundle import NUM_VIDEOS, user, video
from tests.service.traffic import Asked

ERRORS = {
    "malformed": (b'{"candidates": ["v1"', 400),
    "invalid": (b'{"candidates": ["v1", "v1"], "context": {"devise": 1}}', 422),
    "too large": (b"[" + b" " * 1_100_000, 413),
}


def ids(at: int, prefix: str = "v") -> list[str]:
    return [f"{prefix}{(at * 7 + step) % NUM_VIDEOS}" for step in range(9 + 5 * (at % 7))]


def rankings() -> Iterator[tuple[str, dict[str, Any]]]:
    """By kind, as often as each is to be asked."""
    for at in range(60):
        yield (
            "ids",
            {"user": {"id": f"u{at % 6}"}, "context": {"device": "ios", "hour": at % 24}, "candidates": ids(at)},
        )
    for at in range(8):
        candidates = [{"id": f"new{at}-{step}", "features": video(at + step)} for step in range(9)]
        yield "inline", {"user": user(at % 6), "candidates": candidates}
        yield "unknown ids", {"user": {"id": f"nobody{at}"}, "candidates": ids(at, "unknown")}
        yield "stored features", {"user": {"id": f"stored{at}"}, "candidates": [*ids(at), f"stored{at}"]}
        yield "explained", {"candidates": ids(at), "policy": "satisfied", "explain": True, "top_k": 5}


def table(at: int) -> bytes:
    rows = [video(at + step) for step in range(9)]
    columns = {
        "id": pa.array([f"v{at + step}" for step in range(9)]),
        "author": pa.array([row["author"] for row in rows]),
        "duration_s": pa.array([row["duration_s"] for row in rows]),
    }
    document = json.dumps({"request_id": f"arrow{at}", "user": {"id": f"u{at % 6}"}}).encode()
    batch = pa.record_batch(columns).replace_schema_metadata({REQUEST_KEY: document})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as out:
        out.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())


def mix(key: str, slow_key: str) -> list[Asked]:
    """The traffic. Its answers are not known yet."""
    as_json = {"content-type": MediaType.JSON, "authorization": f"Bearer {key}"}
    as_arrow = as_json | {"content-type": MediaType.ARROW, "accept": MediaType.ARROW}
    asked = [
        Asked(kind, "POST", "/v1/rank", json.dumps(document | {"request_id": f"r{at}"}).encode(), as_json)
        for at, (kind, document) in enumerate(rankings())
    ]
    limited = as_json | {"authorization": f"Bearer {slow_key}"}
    asked.append(replace(asked[0], kind="limited key", headers=limited, statuses=frozenset({200, 429})))
    asked += [Asked("Arrow", "POST", "/v1/rank", table(at), as_arrow) for at in range(8)]
    for at in range(4):
        wrote = frozenset({204})
        document = json.dumps(user(at)).encode()
        asked.append(Asked("PUT", "PUT", f"/v1/features/users/stored{at}", document, as_json, wrote))
        document = json.dumps({"features": video(at)}).encode()
        asked.append(Asked("PUT", "PUT", f"/v1/features/videos/stored{at}", document, as_json, wrote))
    asked += [
        Asked(kind, "POST", "/v1/rank", body, as_json, frozenset({status})) for kind, (body, status) in ERRORS.items()
    ]
    wrong = as_json | {"authorization": "Bearer wn_none_none"}
    asked.append(Asked("wrong key", "POST", "/v1/rank", asked[0].body, wrong, frozenset({401})))
    asked.append(Asked("model", "GET", "/v1/model/health", b"", as_json))
    return asked
