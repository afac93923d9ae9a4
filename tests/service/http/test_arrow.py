"""Arrow: what is sent and answered as a table is what JSON says, and whatever is wrong is told as in JSON."""

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from model.contract.request import LONGEST_ID
from service.http import arrow
from service.http.arrow import PREDICTION, REQUEST_KEY, RESPONSE_KEY
from service.http.media import MediaType
from tests.service.asgi import call
from tests.service.http.streams import COLUMNS, DOCUMENT, IDS, stream
from tests.service.server import Answer, Server
from tests.service.small_bundle import NUM_VIDEOS, TASKS

HEADERS = {"content-type": MediaType.ARROW, "accept": MediaType.ARROW}


def as_json(columns: dict[str, Any], document: Any = DOCUMENT) -> bytes:
    ids = columns["id"].to_pylist()
    values = {name: column.to_pylist() for name, column in columns.items() if name != "id"}
    candidates = [{"id": one, "features": {name: values[name][at] for name in values}} for at, one in enumerate(ids)]
    return json.dumps(document | {"candidates": candidates}).encode()


def rank(app: FastAPI, body: bytes, **headers: str) -> Answer:
    return call(app, "POST", "/v1/rank", [body], HEADERS | headers)


def rows_of(answer: Answer) -> dict[str, Any]:
    """The answer as JSON has it."""
    [batch] = pa.ipc.open_stream(answer.body)
    rows = []
    for row in batch.to_pylist():
        nested: dict[str, Any] = {"id": row.pop("id"), "score": row.pop("score"), "predictions": {}}
        for name, value in row.items():
            kind, _, task = name.partition(".")
            # A prediction is a float32, and JSON has no more digits than that needs.
            nested.setdefault(f"{kind}s", {})[task] = float(str(np.float32(value))) if kind == PREDICTION else value
        rows.append(nested)
    return json.loads(batch.schema.metadata[RESPONSE_KEY]) | {"ranking": rows}


def test_a_table_is_ranked_as_the_same_in_json(app: FastAPI) -> None:
    columns = {"id": IDS} | COLUMNS
    by_table = rank(app, stream(columns), accept="*/*").json
    assert by_table == call(app, "POST", "/v1/rank", [as_json(columns)]).json
    assert {one["kind"] for one in by_table["warnings"]} == {"unknown_candidate", "unknown_category"}


def test_an_answer_in_arrow_says_what_json_says(app: FastAPI) -> None:
    answer = rank(app, stream({"id": IDS} | COLUMNS))
    assert (answer.status, answer.headers["content-type"]) == (200, MediaType.ARROW)
    assert rows_of(answer) == rank(app, stream({"id": IDS} | COLUMNS), accept="*/*").json
    names = pa.ipc.open_stream(answer.body).schema.names
    assert names[:3] == ["id", "score", f"prediction.{TASKS[0].name}"]


def test_json_may_be_answered_in_arrow(app: FastAPI) -> None:
    body = json.dumps({"candidates": ["v1", "v2"], "request_id": "r"}).encode()
    given = call(app, "POST", "/v1/rank", [body], {"accept": f"text/html, {MediaType.ARROW};q=0.5"})
    assert rows_of(given) == call(app, "POST", "/v1/rank", [body]).json


def test_over_a_real_connection(server: Server) -> None:
    answer = server.ask("POST", "/v1/rank", stream({"id": IDS} | COLUMNS), HEADERS)
    assert (answer.status, rows_of(answer)["request_id"]) == (200, "r-1")


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, NUM_VIDEOS + 3), min_size=1, max_size=8, unique=True),
    st.sets(st.sampled_from(sorted(COLUMNS)), min_size=1),
    st.randoms(),
)
def test_any_table_is_ranked_as_the_same_in_json(app: FastAPI, at: list[int], names: set[str], random: Any) -> None:
    rows = pa.array([random.randrange(3) for _ in at])
    columns = {"id": pa.array([f"v{one}" for one in at])} | {name: COLUMNS[name].take(rows) for name in names}
    found = rank(app, stream(columns))
    assert rows_of(found) == call(app, "POST", "/v1/rank", [as_json(columns)]).json


def test_ids_alone_are_a_table_too(app: FastAPI) -> None:
    assert rank(app, stream({"id": IDS}, {}), accept="*/*").json["warnings"] == [
        {"kind": "unknown_candidate", "ids": ["new"]}
    ]


def test_the_longest_id_is_counted_in_characters(app: FastAPI) -> None:
    longest = "é" * LONGEST_ID
    assert rows_of(rank(app, stream({"id": pa.array([longest])}, {})))["ranking"][0]["id"] == longest
    refused = rank(app, stream({"id": pa.array([longest + "é"])}, {}))
    assert (refused.status, refused.json["errors"][0]["where"]) == (422, "candidates[0].id")


# Arrow would end the process that looks for the values behind such offsets.
NO_LISTS = pa.ListArray.from_buffers(
    pa.list_(pa.string()),
    0,
    [None, pa.py_buffer(np.array([7], np.int32).tobytes())],
    children=[pa.array([], pa.string())],
)
WRONG: dict[str, tuple[bytes, str]] = {
    "null id": (stream({"id": pa.array(["v1", None])}), "candidates[1].id"),
    "null": (stream({"id": IDS, "duration_s": pa.array([1.0, 2.0, None])}), "candidates[2].features.duration_s"),
    "null in a list": (
        stream({"id": IDS, "tags": pa.array([["a"], ["b", None], []])}),
        "candidates[1].features.tags",
    ),
    "not a number": (
        stream({"id": IDS, "duration_s": pa.array([1.0, np.nan, 2.0])}),
        "candidates[1].features.duration_s",
    ),
    "text for a number": (
        stream({"id": IDS, "duration_s": pa.array(["1", "", "2"])}),
        "candidates[0].features.duration_s",
    ),
    "no text for a number": (
        stream({"id": IDS.slice(0, 1), "duration_s": pa.array([""])}),
        "candidates[0].features.duration_s",
    ),
    "number for text": (stream({"id": IDS, "author": pa.array([1.5, 2.0, 3.0])}), "candidates[0].features.author"),
    "unknown column": (stream({"id": IDS, "durations": pa.array([1, 2, 3])}), "candidates[0].features.durations"),
    "empty id": (stream({"id": pa.array(["v1", ""])}), "candidates[1].id"),
    "long id": (stream({"id": pa.array(["v" * 600])}), "candidates[0].id"),
    "same id": (stream({"id": pa.array(["v1", "v1"])}), "candidates[1]"),
    "no rows": (stream({"id": pa.array([], pa.string())}), "candidates"),
    "no rows, of lists with offsets": (stream({"id": pa.array([], pa.string()), "tags": NO_LISTS}), "candidates"),
    "no batch": (stream({"id": IDS}, num_batches=0), "the whole"),
    "two batches": (stream({"id": IDS}, num_batches=2), "the whole"),
    "dictionary": (stream({"id": IDS.dictionary_encode()}), "the whole"),
    "compressed": (stream({"id": IDS}, compression="zstd"), "the whole"),
    "no id": (stream({"author": IDS}), "the schema"),
    "numeric id": (stream({"id": pa.array([1, 2])}), "candidates[].id"),
    "a struct": (stream({"id": IDS, "author": pa.array([{"a": 1}] * 3)}), "candidates[].features.author"),
    "views": (stream({"id": IDS, "author": IDS.cast(pa.string_view())}), "candidates[].features.author"),
    "candidates twice": (stream({"id": IDS}, {"candidates": ["v1"]}), "candidates"),
    "wrong document": (stream({"id": IDS}, {"user": {"idd": 1}}), "user.idd"),
    "no document": (
        stream({"id": IDS}).replace(REQUEST_KEY, b"watchnext.rekuest"),
        "metadata",
    ),
}


@pytest.mark.parametrize(("body", "where"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_at_its_place(app: FastAPI, body: bytes, where: str) -> None:
    answer = rank(app, body)
    assert (answer.status, answer.is_problem) == (422, True)
    assert answer.json["errors"][0]["where"] == where


def test_an_unknown_column_is_named_as_an_unknown_feature_is(app: FastAPI) -> None:
    columns = {"id": IDS, "durations": pa.array([1, 2, 3])}
    table, plain = rank(app, stream(columns)).json, call(app, "POST", "/v1/rank", [as_json(columns)]).json
    assert table == plain and table["errors"][0]["nearest"] == "duration_s" and table["request_id"] == "r-1"


def test_a_document_that_is_not_json(app: FastAPI) -> None:
    answer = rank(app, stream({"id": IDS}, b"{"))
    assert (answer.status, answer.json["type"]) == (400, "urn:watchnext:problem:malformed-json")


def test_a_stream_cut_anywhere_is_refused(app: FastAPI) -> None:
    body = stream({"id": IDS} | COLUMNS)
    for length in range(0, len(body), 7):
        answer = rank(app, body[:length])
        assert (answer.status, answer.json["type"]) == (400, "urn:watchnext:problem:malformed-arrow")


def _overwrite(body: bytes, at: int, value: int) -> bytes:
    return body[:at] + bytes([value]) + body[at + 1 :]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from([0, 1, 127, 128, 255])), min_size=1))
def test_damage_never_breaks_the_service(app: FastAPI, damages: list[tuple[float, int]]) -> None:
    body = stream({"id": IDS} | COLUMNS)
    for where, value in damages:
        body = _overwrite(body, int(where * len(body)), value)
    assert rank(app, body).status in (200, 400, 413, 422)


@pytest.mark.parametrize("damage", [lambda body: body, lambda body: body[:-9] + body[-8:]], ids=["whole", "shortened"])
def test_only_a_whole_stream_is_read(app: FastAPI, damage: Callable[[bytes], bytes]) -> None:
    body = damage(stream({"id": IDS}))
    assert rank(app, body).status == (200 if body == stream({"id": IDS}) else 400)
    assert arrow.END_OF_STREAM in body


def test_where_pyarrow_is_missing_json_still_works(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "service.http.arrow", None)
    answer = rank(app, stream({"id": IDS}))
    assert (answer.status, answer.is_problem) == (415, True)
    assert "needs pyarrow" in answer.json["detail"]
    assert call(app, "POST", "/v1/rank", [b'{"candidates": ["v1"]}']).status == 200
