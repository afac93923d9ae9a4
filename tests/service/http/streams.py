"""Requests as Arrow streams."""

import json
from typing import Any

import pyarrow as pa

from service.http.arrow import REQUEST_KEY

COLUMNS: dict[str, Any] = {
    "author": pa.array(["a1", "nobody", ""]),
    "tags": pa.array([["cats", "new"], [], ["music"]], pa.list_(pa.large_string())),
    "duration_s": pa.array([5.0, 77.5, 1.0]),
    "title": pa.array([[0.1, -2.0, 3.5], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]], pa.list_(pa.float32(), 3)),
}
IDS = pa.array(["v1", "new", "v3"], pa.large_string())
DOCUMENT = {"request_id": "r-1", "user": {"id": "u2"}, "context": {"device": "ios"}, "explain": True}


def stream(columns: dict[str, Any], document: Any = DOCUMENT, num_batches: int = 1, **options: Any) -> bytes:
    """`columns` by name, of one length; `document` is the rest of the request, or its bytes as they are."""
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    batch = pa.record_batch(columns).replace_schema_metadata({REQUEST_KEY: raw})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(**options)) as out:
        for _ in range(num_batches):
            out.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())
