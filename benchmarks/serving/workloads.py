"""Workloads: what is sent to every service, drawn once."""

import io
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.serving.reference import CANDIDATE_FEATURES, CONTEXT_FEATURES, NUM_USERS, VOCABULARY

JSON, ARROW = "application/json", "application/vnd.apache.arrow.stream"
NUM_BODIES = 32


@dataclass(frozen=True, slots=True)
class Workload:
    """Requests of so many candidates, sent as `media_type`; those with `inline` features bring 16 of each candidate."""

    num_candidates: int
    inline: bool = False
    media_type: str = JSON

    @property
    def is_arrow(self) -> bool:
        return self.media_type == ARROW

    @property
    def name(self) -> str:
        how = "ids" if not self.inline else "inline Arrow" if self.is_arrow else "inline JSON"
        return f"{self.num_candidates} {how}"

    def bodies(self, num_videos: int) -> list[bytes]:
        rng = np.random.default_rng(self.num_candidates)
        return [self._body(_drawn(rng, self.num_candidates, num_videos)) for _ in range(NUM_BODIES)]

    def _body(self, drawn: dict[str, Any]) -> bytes:
        ids, features = drawn["ids"], drawn["features"]
        document = {key: drawn[key] for key in ("user", "context")}
        if self.is_arrow:
            return _stream({"id": ids} | features, document)
        rows = [{name: values[at] for name, values in features.items()} for at in range(len(ids))]
        pairs = zip(ids, rows, strict=True)
        candidates = [{"id": one, "features": row} for one, row in pairs] if self.inline else ids
        return json.dumps(document | {"candidates": candidates}).encode()


def _drawn(rng: np.random.Generator, num_candidates: int, num_videos: int) -> dict[str, Any]:
    def value(feature: str) -> str:
        return f"{feature}:{rng.integers(VOCABULARY)}"

    return {
        "user": {"id": f"u{rng.integers(NUM_USERS)}"},
        "context": {name: value(name) for name in CONTEXT_FEATURES},
        "ids": [f"v{at}" for at in rng.choice(num_videos, num_candidates, replace=False)],
        "features": {name: [value(name) for _ in range(num_candidates)] for name in CANDIDATE_FEATURES},
    }


def _stream(columns: dict[str, list[str]], document: dict[str, Any]) -> bytes:
    batch = pa.record_batch({name: pa.array(values) for name, values in columns.items()})
    batch = batch.replace_schema_metadata({"watchnext.request": json.dumps(document)})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return sink.getvalue()


def write_bodies(bodies: list[bytes], path: Path) -> None:
    """As wrk.lua reads them."""
    path.write_bytes(b"".join(b"%d\n%s" % (len(body), body) for body in bodies))


by_ids, by_json = Workload, partial(Workload, inline=True)
by_arrow = partial(Workload, inline=True, media_type=ARROW)
