"""Hostile requests without end: valid ones of every endpoint that reads a body, broken at random."""

import copy
import json
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from service.http.arrow import REQUEST_KEY
from service.http.media import MediaType
from tests.service.http.streams import COLUMNS, DOCUMENT, IDS, stream
from tests.service.small_bundle import VERSION

RANK: dict[str, Any] = {
    "request_id": "r-1",
    "user": {"id": "u1", "features": {"age": 31}, "history": [{"video_id": "v9", "outcomes": {"like": True}}]},
    "query": {"video_id": "v4", "features": {"watching_tags": ["music"]}},
    "context": {"device": "ios", "hour": 7.5},
    "candidates": [
        {"id": "v1"},
        {"id": "new", "features": {"author": "ann", "tags": ["live"], "duration_s": 3.5, "title": [0.1, 2, 3]}},
    ],
    "top_k": 2,
    "policy": {"combination": "weighted_sum", "weights": {"click": 1.0, "mood": -2}},
    "explain": True,
}
USER: dict[str, Any] = {"features": {"age": 30}, "history": [{"video_id": "v9", "outcomes": {"like": 1.0}}]}
VIDEO: dict[str, Any] = {"features": {"author": "ann", "tags": ["music"], "duration_s": 31.5, "title": [1, 2, 3]}}
NESTED: list[Any] = []
for _ in range(100):
    NESTED = [NESTED]
VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 2**31, -(2**63), 2**64, 10**400, 5e-324, 1e308, math.nan, math.inf, -math.inf),
    *("", "0", "\0", "\ud800", "\udfff\ud800", "\U0001f600" * 300, "v" * 100_000, "a\r\nb: c", "../../etc/passwd"),
    *([], {}, [[]], [None] * 2000, [{}], {"": {}}, {"\0": 1, "\ud800": 2}, NESTED, ["v1"] * 50, list(range(1100))),
]
TOKENS = [
    *(b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"NaN", b"-Infinity", b"1e999", b"1" * 5000),
    *(b"[" * 50_000, b'{"a":' * 20_000, b"]", b"}", b'"', b",", b"\\", b"\xef\xbb\xbf", b"/**/", b" " * 60_000),
    *(b'"candidates": null, ', b'"features": {}, ', b'"version": 1, ', b'"inputs": [], '),
]
METHODS = ["GET", "DELETE", "PATCH", "OPTIONS", "PROPFIND"]
COLUMN_KINDS: list[Any] = [
    *COLUMNS.values(),
    *(IDS, IDS.cast(pa.string()), IDS.cast(pa.string_view()), IDS.cast(pa.large_binary()), IDS.dictionary_encode()),
    *(pa.nulls(3), pa.nulls(3, pa.string()), pa.nulls(3, pa.list_(pa.float32(), 3)), pa.array([1, None, 3])),
    *(pa.array([2**63, 0, 1], pa.uint64()), pa.array([True, False, None]), pa.array([0, 1, 2], pa.timestamp("us"))),
    *(pa.array([math.nan, math.inf, -0.0]), pa.array([1e39, -1e308, 5e-324]), pa.array([1, 2, 3], pa.float16())),
    *(pa.array([{"a": 1}] * 3), pa.array([[["a"]]] * 3), pa.array([[], None, [None]], pa.list_(pa.string()))),
    *(pa.array([[("a", 1)]] * 3, pa.map_(pa.string(), pa.int8())), pa.array([1, 2, 3], pa.decimal128(30, 2))),
    *(pa.RunEndEncodedArray.from_arrays([3], ["v1"]), pa.array(["v" * 100_000, "\0", "\U0001f600"])),
    *(pa.array([[0.5] * 3000] * 3), pa.array([["t"] * 2000] * 3), pa.array([[1, 2]] * 3, pa.list_(pa.int64(), 2))),
]
HEADERS: dict[str, list[str]] = {
    "content-type": [
        *("", ";", "text/plain", "application/json; charset=utf-16", "application/\xff", "*/*", "multipart/form-data"),
        *("x" * 5000, MediaType.JSON, MediaType.ARROW, "application/problem+json", "application/x-www-form-urlencoded"),
    ],
    "content-encoding": ["gzip", "br", "", "identity", "identity, gzip", "\xfe" * 3000],
    "accept": ["", "," * 5000, MediaType.ARROW, "application/vnd.apache.arrow.stream;q=x", "\xff", "text/html"],
    "authorization": ["", "Bearer", "Bearer ", "Basic dTpw", "Bearer wn_00000000_x", "Bearer \xff", "x" * 20_000],
    "x-request-timeout-ms": ["", "0", "-1", "1.5", "9" * 5000, "1e9", "\xb2", "0x10", "100000"],
    "x-request-id": ["", "\xff", "x" * 20_000, "a b"],
    "traceparent": ["", "00-0-0-0", "00-" + "f" * 32 + "-" + "0" * 16 + "-01", "\xff" * 55, "0" * 20_000],
    "origin": ["null", "https://evil.example", "\xff"],
    "cookie": ["a=b; " * 4000],
    "host": ["", "evil.example", "[::1", "\xff"],
    "forwarded": ["for=\xff", "x" * 5000],
    "x-forwarded-for": ["\xff", "::1, " * 1000],
    "expect": ["200-ok"],
}


@dataclass(frozen=True)
class Hostile:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    is_chunked: bool


class Attacker:
    """Chooses by `seed`; `infer` is a valid body of the inference protocol for the model `small`."""

    def __init__(self, seed: int, infer: dict[str, Any]) -> None:
        self.random = random.Random(seed)
        version = {"version": VERSION}
        self.targets: list[tuple[int, Callable[[], tuple[str, str, bytes]]]] = [
            (6, lambda: ("POST", "/v1/rank", self.json(RANK))),
            (2, lambda: ("PUT", f"/v1/features/users/{self.id()}", self.json(USER))),
            (2, lambda: ("PUT", f"/v1/features/videos/{self.id()}", self.json(VIDEO))),
            (3, lambda: ("POST", f"/v2/models/{self.model()}/infer", self.json(infer))),
            (1, lambda: ("POST", f"/v1/admin/{self.random.choice(['promote', 'shadow'])}", self.json(version))),
            (1, lambda: ("POST", "/v1/admin/canary", self.json(version | {"percent": 5.0}))),
            (
                1,
                lambda: (self.random.choice(["GET", "DELETE", "PATCH", "OPTIONS", "PROPFIND"]), self.anywhere(), b"{}"),
            ),
        ]

    def __iter__(self) -> Iterator[Hostile]:
        while True:
            if self.random.random() < 0.25:
                method, path, body, kind = "POST", "/v1/rank", self.arrow(), MediaType.ARROW
            else:
                method, path, body = self._target()
                kind = MediaType.JSON
            headers = {"content-type": kind.value}
            if self.random.random() < 0.2:
                names = self.random.sample(sorted(HEADERS), self.random.randint(1, 3))
                headers |= {name: self.random.choice(HEADERS[name]) for name in names}
            yield Hostile(method, path, headers, body, is_chunked=self.random.random() < 0.1)

    def _target(self) -> tuple[str, str, bytes]:
        weights = [weight for weight, _ in self.targets]
        [(_, make)] = self.random.choices(self.targets, weights)
        return make()

    def id(self) -> str:
        """Of nothing that a valid request of the tests names."""
        odd = ["", "x" * 513, "%ff", "%00", "%0a%0d", "a/b//c", "%2e%2e", quote("\U0001f600"), "%", "%zz"]
        return self.random.choice([f"hostile{self.random.randrange(100)}", self.random.choice(odd)])

    def model(self) -> str:
        return self.random.choice(["small"] * 6 + [f"small/versions/{VERSION}", "%ff", "..", "x" * 5000, "small%00"])

    def anywhere(self) -> str:
        ways = [
            "/v1/rank",
            "/v1/admin/canary",
            "/v1/admin/shadow",
            "/v1/features/users/",
            "/v2",
            "/metrics",
            "/v1/model",
        ]
        return self.random.choice(ways) + self.random.choice(["", "/", "?a=%ff&a=%00", "%0a", "/" + self.id(), "//"])

    def json(self, valid: Any) -> bytes:
        document = copy.deepcopy(valid)
        for _ in range(self.random.choice([0, 1, 1, 1, 2, 4])):
            document = self._changed(document)
        text = json.dumps(document).encode()
        return self._damaged(text) if self.random.random() < 0.3 else text

    def _changed(self, document: Any) -> Any:
        """With one place of it, at any depth, gone, renamed, repeated, or something else."""
        found = list(_places(document))
        if not found:
            return copy.deepcopy(self.random.choice(VALUES))
        parent, key = self.random.choice(found)
        how = self.random.randrange(10)
        if how == 0:
            del parent[key]
        elif how == 1 and isinstance(parent, dict):
            parent[self.random.choice(["", "\0", "\ud800", "x" * 50_000, "id", "features"])] = parent.pop(key)
        elif how == 2 and isinstance(parent, list):
            parent[key:key] = [parent[key]] * self.random.choice([1, 1000])
        elif how == 3:
            other, at = self.random.choice(found)
            parent[key] = copy.deepcopy(other[at])
        else:
            parent[key] = copy.deepcopy(self.random.choice(VALUES))
        return document

    def _damaged(self, raw: bytes) -> bytes:
        """Cut, with bits flipped, or with something put in."""
        at = self.random.randrange(len(raw) + 1)
        how = self.random.randrange(4)
        if how == 0:
            return raw[:at]
        if how == 1:
            return raw[:at] + self.random.choice(TOKENS) + raw[at:]
        if how == 2:
            return raw[:at] + self.random.randbytes(self.random.choice([1, 4, 8])) + raw[at:]
        changed = bytearray(raw)
        for _ in range(min(len(raw), self.random.choice([1, 2, 8]))):
            changed[self.random.randrange(len(raw))] ^= 1 << self.random.randrange(8)
        return bytes(changed)

    def arrow(self) -> bytes:
        columns = {"id": IDS} | COLUMNS
        for _ in range(self.random.choice([0, 1, 1, 2])):
            name = self.random.choice([*columns, "id", "durations", "", "\0", "n" * 10_000])
            columns[name] = self.random.choice(COLUMN_KINDS)
        if self.random.random() < 0.05:
            columns = {name: column.slice(0, self.random.randrange(3)) for name, column in columns.items()}
            columns = {name: column.slice(0, min(map(len, columns.values()))) for name, column in columns.items()}
        if self.random.random() < 0.05:
            columns |= {f"c{at}": columns["id"] for at in range(300)}
        document = self.json(DOCUMENT) if self.random.random() < 0.3 else json.dumps(DOCUMENT).encode()
        if self.random.random() < 0.03:
            document = b'{"request_id": "' + b"m" * 300_000 + b'"}'
        body = stream(columns, document, self.random.choice([1] * 20 + [0, 2]))
        how = self.random.randrange(6)
        if how == 0:
            return self._damaged(body)
        if how == 1:  # offsets, lengths and sizes are aligned
            at = 8 * self.random.randrange(len(body) // 8)
            number = self.random.choice([0, -1, 1, 2**31 - 1, -(2**31), 2**62, -(2**63), 1 << 40])
            return body[:at] + number.to_bytes(8, "little", signed=True) + body[at + 8 :]
        if how == 2:
            return body.replace(REQUEST_KEY, self.random.choice([b"watchnext.rekuest", b"\xff" * len(REQUEST_KEY)]))
        return body


def _places(part: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with each of its keys."""
    keys = list(part) if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
    for key in keys:
        yield part, key
        yield from _places(part[key])
