"""Hostile input against a real server: never a 5xx, always a problem that names the place."""

import json
import socket
from typing import Any

import pytest

from tests.service.server import Server

IDS = ["v1", "v2"]
Where = str | None


def body(**parts: Any) -> bytes:
    return json.dumps({"candidates": IDS} | parts).encode()


def raw(context: str) -> bytes:
    """A valid request but for the JSON text given, the value of a number feature."""
    return b'{"candidates": ["v1"], "context": {"hour": ' + context.encode() + b"}}"


def inline(**features: Any) -> bytes:
    return json.dumps({"candidates": [{"id": "v1"}, {"id": "v2", "features": features}]}).encode()


def policy(weights: Any, combination: Any = "weighted_sum") -> bytes:
    return body(policy={"combination": combination, "weights": weights})


MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "spaces": b"  \n ",
    "cut short": b'{"candidates": ["v1"',
    "not JSON": b"candidates=v1",
    "two documents": b'{"candidates": ["v1"]} {}',
    "trailing comma": b'{"candidates": ["v1",]}',
    "single quotes": b"{'candidates': ['v1']}",
    "not UTF-8": b'{"candidates": ["\xff\xfe"]}',
    "UTF-16": '{"candidates": ["v1"]}'.encode("utf-16"),
    "lone surrogate": b'{"candidates": ["\\ud800"]}',
    "surrogate as a name": b'{"candidates": ["v1"], "context": {"\\udfff": 1}}',
    "raw control character": b'{"candidates": ["v\x01"]}',
    "a NUL byte": b'{"candidates": ["v1"]}\x00',
    "deeply nested": raw("[" * 100_000 + "]" * 100_000),
    "deeply nested objects": raw('{"a":' * 50_000 + "1" + "}" * 50_000),
    "a number of 5000 digits": raw("1" + "0" * 5000),
    "bare minus": raw("-"),
}
WRONG: dict[str, tuple[bytes, Where]] = {
    "a list": (b"[]", "the whole"),
    "a string": (b'"v1"', "the whole"),
    "null": (b"null", "the whole"),
    "empty object": (b"{}", "candidates"),
    "unknown field": (body(candidate=IDS), "candidate"),
    "field of a hostile name": (body(**{"\n" * 5000: 1}), None),
    "no candidates": (body(candidates=[]), "candidates"),
    "null candidates": (body(candidates=None), "candidates"),
    "a string of candidates": (body(candidates="v1"), "candidates"),
    "a wrong object beside an id": (body(candidates=["v1", {"idd": "v2"}]), "candidates[1].id"),
    "a number as candidate": (body(candidates=["v1", 2]), "candidates[1]"),
    "null candidate": (body(candidates=[None]), "candidates[0]"),
    "nested lists": (body(candidates=[["v1"]]), "candidates[0]"),
    "empty id": (body(candidates=["v1", ""]), "candidates[1]"),
    "id too long": (body(candidates=["v" * 513]), "candidates[0]"),
    "candidate without id": (body(candidates=[{"features": {}}]), "candidates[0].id"),
    "candidate with more": (body(candidates=[{"id": "v1", "score": 1}]), "candidates[0].score"),
    "duplicates": (body(candidates=["v1", "v2", "v1"]), "candidates[2]"),
    "all duplicates": (body(candidates=["v1"] * 1000), "candidates[1]"),
    "too many candidates": (body(candidates=[f"v{at}" for at in range(1001)]), "candidates"),
    "top_k 0": (body(top_k=0), "top_k"),
    "top_k negative": (body(top_k=-1), "top_k"),
    "top_k above the limit": (body(top_k=1001), "top_k"),
    "top_k huge": (body(top_k=10**400), "top_k"),
    "top_k a fraction": (body(top_k=1.5), "top_k"),
    "top_k a string": (body(top_k="2"), "top_k"),
    "top_k a boolean": (body(top_k=True), "top_k"),
    "explain a number": (body(explain=1), "explain"),
    "unknown policy": (body(policy="balancd"), "policy"),
    "policy a number": (body(policy=3), "policy"),
    "policy a list": (body(policy=[]), "policy"),
    "no weights": (policy({}), "policy.weights"),
    "unknown task": (policy({"clik": 1.0}), "policy.weights.clik"),
    "unknown combination": (policy({"click": 1.0}, "weighted_mean"), "policy.combination"),
    "NaN weight": (policy({"click": float("nan")}), "policy.weights.click"),
    "infinite weight": (policy({"click": float("inf")}), "policy.weights.click"),
    "weight 1e999": (policy({"click": 1}).replace(b"1}", b"1e999}"), "policy.weights.click"),
    "weight too large": (policy({"click": 1e7}), "policy.weights.click"),
    "boolean weight": (policy({"click": True}), "policy.weights.click"),
    "product of what may be negative": (policy({"mood": 1.0}, "weighted_product"), "policy.weights.mood"),
    "100 000 unknown tasks": (policy({f"t{at}": 1 for at in range(50_000)}), "policy.weights"),
    "user a string": (body(user="u1"), "user"),
    "user id a number": (body(user={"id": 1}), "user.id"),
    "user id empty": (body(user={"id": ""}), "user.id"),
    "user id too long": (body(user={"id": "u" * 513}), "user.id"),
    "query id an object": (body(query={"video_id": {}}), "query.video_id"),
    "request id with a line break": (body(request_id="r\nX-Evil: 1"), "request_id"),
    "request id empty": (body(request_id=""), "request_id"),
    "unknown context feature": (body(context={"devise": "ios"}), "context.devise"),
    "unknown user feature": (body(user={"features": {"aeg": 1}}), "user.features.aeg"),
    "unknown query feature": (body(query={"features": {"tags": []}}), "query.features.tags"),
    "feature of the wrong side": (inline(age=3), "candidates[1].features.age"),
    "feature of the impression": (body(context={"position": "1"}), "context.position"),
    "a match": (inline(same_author=1), "candidates[1].features.same_author"),
    "an id as a feature": (inline(video_id="v1"), "candidates[1].features.video_id"),
    "NaN feature": (raw("NaN"), "context.hour"),
    "infinite feature": (raw("-Infinity"), "context.hour"),
    "feature 1e999": (raw("1e999"), "context.hour"),
    "feature of 400 digits": (raw("1" + "0" * 400), "context.hour"),
    "feature beyond float32": (raw("1e39"), "context.hour"),
    "a string for a number": (raw('"7"'), "context.hour"),
    "a list for a number": (raw("[7]"), "context.hour"),
    "an object for a number": (raw("{}"), "context.hour"),
    "a number for a category": (inline(author=1.5), "candidates[1].features.author"),
    "a string for a set": (inline(tags="music"), "candidates[1].features.tags"),
    "a number in a set": (inline(tags=["music", 1.5]), "candidates[1].features.tags[1]"),
    "a vector too short": (inline(title=[1.0]), "candidates[1].features.title"),
    "a NaN in a vector": (inline(title=[1.0, float("nan"), 0]), "candidates[1].features.title[1]"),
    "null in a vector": (inline(title=[1.0, None, 0]), "candidates[1].features.title[1]"),
    "history a string": (body(user={"history": "v1"}), "user.history"),
    "history of ids": (body(user={"history": ["v1"]}), "user.history[0]"),
    "history without id": (body(user={"history": [{}]}), "user.history[0].video_id"),
    "outcomes a list": (body(user={"history": [{"video_id": "v1", "outcomes": []}]}), "user.history[0].outcomes"),
    "unknown outcome": (
        body(user={"history": [{"video_id": "v1", "outcomes": {"lik": 1}}]}),
        "user.history[0].outcomes.lik",
    ),
    "outcome a string": (
        body(user={"history": [{"video_id": "v1", "outcomes": {"like": "1"}}]}),
        "user.history[0].outcomes.like",
    ),
    "infinite outcome": (
        body(user={"history": [{"video_id": "v1", "outcomes": {"like": float("inf")}}]}),
        "user.history[0].outcomes.like",
    ),
    "history by name": (body(user={"features": {"recent": []}}), "user.features.recent"),
    "20 000 unknown fields": (body(**{f"x{at}": 1 for at in range(20_000)}), "x0"),
    "20 000 unknown features": (body(context={f"x{at}": 1 for at in range(20_000)}), "context.x0"),
}
STRANGE_BUT_FINE: dict[str, bytes] = {
    "ids of 512 characters": body(candidates=["v" * 512, "\u00e9" * 512], user={"id": "u" * 512}),
    "ids with NUL and line breaks": body(candidates=["v\0", "v", "v\n", "v\0\0"], user={"id": "\0"}),
    "ids beyond the BMP": body(candidates=["\U0001f600", "\u202e"], query={"video_id": "\U0001f600"}),
    "top_k above the number of candidates": body(top_k=1000),
    "nulls": body(
        user={"id": None, "history": None}, query={"video_id": None}, top_k=None, policy=None, request_id=None
    ),
    "null features": inline(author=None, tags=None, duration_s=None, title=None),
    "integers and booleans as categories": inline(author=10**30, tags=[True, 0, "", None]),
    "a large finite number": raw("-3e38"),
    "a set of 1000": inline(tags=[str(at) for at in range(1000)]),
    "a history of 5000": body(user={"history": [{"video_id": f"v{at}"} for at in range(5000)]}),
    "a name twice": b'{"candidates": ["v1"], "candidates": ["v2"]}',
    "escaped names": b'{"c\\u0061ndidates": ["v1"]}',
    "1000 unknown candidates": body(candidates=[f"new{at}" for at in range(1000)]),
    "weights of opposite infinity": policy({"watch_time": 1e6, "mood": -1e6}),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_not_json_is_told_so(server: Server, name: str) -> None:
    answer = server.rank(MALFORMED[name])
    assert (answer.status, answer.is_problem, answer.json["status"]) == (400, True, 400)
    assert answer.json["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_with_its_place(server: Server, name: str) -> None:
    sent, where = WRONG[name]
    answer = server.rank(sent)
    assert (answer.status, answer.is_problem) == (422, True)
    problem = answer.json
    assert problem["instance"] == "/v1/rank" and problem["request_id"] == answer.headers["x-request-id"]
    assert 1 <= len(problem["errors"]) <= 20 and len(answer.body) < 50_000
    first = problem["errors"][0]
    assert first["expected"] and first["found"]
    assert where is None or first["where"] == where


@pytest.mark.parametrize("name", STRANGE_BUT_FINE)
def test_what_is_strange_is_ranked(server: Server, name: str) -> None:
    answer = server.rank(STRANGE_BUT_FINE[name])
    assert answer.status == 200, answer.body
    ranking = answer.json["ranking"]
    assert ranking and all(one["score"] is not None for one in ranking)


def test_too_large_a_body_is_refused_when_announced(server: Server) -> None:
    answer = server.rank(b"[" + b" " * 1_048_576)
    assert (answer.status, answer.is_problem, answer.json["status"]) == (413, True, 413)


def test_too_large_a_body_is_refused_when_it_is_streamed(server: Server) -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    head = b"POST /v1/rank HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head + chunk * 17 + b"0\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/v1/rank", {}, 405),
        ("HEAD", "/v1/rank", {}, 405),
        ("PUT", "/v1/rank", {}, 405),
        ("DELETE", "/v1/model", {}, 405),
        ("GET", "/", {}, 404),
        ("GET", "/v1/", {}, 404),
        ("GET", "/v1/model/", {"host": "evil.example"}, 404),
        ("GET", "/%0aforged%20line", {}, 404),
        ("GET", "/%ff%fe", {}, 404),
        ("POST", "/v3/rank", {"content-type": "application/json"}, 404),
        ("POST", "/v1/rank", {"content-type": "text/plain"}, 415),
        ("POST", "/v1/rank", {"content-type": "application/x-www-form-urlencoded"}, 415),
        ("POST", "/v1/rank", {"content-type": "multipart/form-data; boundary=x"}, 415),
        ("POST", "/v1/rank", {"content-type": "application/json", "content-encoding": "gzip"}, 415),
        ("POST", "/v1/rank", {"content-type": "application/json; charset=utf-8"}, 200),
        ("POST", "/v1/rank", {"content-type": "application/vnd.api+json"}, 200),
        ("POST", "/v1/rank", {"content-type": "application/json", "content-encoding": "identity"}, 200),
        ("POST", "/v1/rank", {}, 200),
    ],
)
def test_methods_paths_and_media_types(
    server: Server, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = server.ask(method, path, body() if method == "POST" else None, headers)
    assert answer.status == status
    assert answer.is_problem == (status != 200) and "x-request-id" in answer.headers
    assert answer.headers.get("allow") is not None or status != 405


def test_after_all_that_the_server_is_well(server: Server) -> None:
    assert server.rank(body()).status == 200
    log = server.log_text
    assert "Traceback" not in log and "\nforged line" not in log
