"""Fuzzing a real server: thousands of hostile requests, and it answers the valid ones between them as ever."""

import http.client
import itertools
import json
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from model.contract.request import RankRequest
from service.http.answers import ranking_json
from service.ranking.pipeline import rank
from tests.service.everything import Everything, serving_everything
from tests.service.hostile import RANK, Attacker, Hostile
from tests.service.memory import memory_mb
from tests.service.ranking.encoded import arrays_of, body_of
from tests.service.server import PATIENCE_S, Answer
from tests.service.small_bundle import VERSION, open_ranker
from tests.service.test_swaps import REQUESTS

SEED = 5
BETWEEN_VALID = 25
BROKEN_FRAMES = {
    "a size that is no number": b"zz\r\n{}\r\n0\r\n\r\n",
    "a negative size": b"-1\r\n{}\r\n0\r\n\r\n",
    "a huge size": b"f" * 40 + b"\r\n{}\r\n0\r\n\r\n",
    "more than announced": b"1\r\n{}}}\r\n0\r\n\r\n",
    "cut in the size": b"2",
    "an endless extension": b"2;" + b"x" * 100_000 + b"\r\n{}\r\n0\r\n\r\n",
    "trailers": b"2\r\n{}\r\n0\r\nX-A: b\r\n" + b"X-B: c\r\n" * 5000 + b"\r\n",
}


@pytest.fixture(scope="module")
def everything(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everything]:
    with serving_everything(registry, tmp_path_factory.mktemp("everything")) as everything:
        yield everything


class Client:
    """Hostile and valid requests in turn, over connections that stay open; counts what was answered."""

    def __init__(self, everything: Everything) -> None:
        self.everything, self.statuses = everything, Counter[int]()
        ranker = open_ranker(everything.registry / "versions" / VERSION)
        rankings = [rank(RankRequest.model_validate(one), ranker) for one in REQUESTS]
        self.right = [json.loads(ranking_json(one, "", ranker.bundle.manifest))["ranking"] for one in rankings]
        asked = {"user": {"id": "u3"}, "query": {"video_id": "v1"}, "candidates": ["v3", "v8"]}
        self.infer = body_of(arrays_of(asked, ranker), id="i-1")
        self.attacks = iter(Attacker(SEED, self.infer))
        self.connection = http.client.HTTPConnection("127.0.0.1", everything.server.port, timeout=PATIENCE_S)

    def send(self, count: int) -> None:
        for at, hostile in enumerate(itertools.islice(self.attacks, count)):
            answer = self.ask(hostile)
            self.statuses[answer.status] += 1
            assert is_in_order(hostile.path, answer), (hostile, answer)
            if at % BETWEEN_VALID == 0:
                self.check_undisturbed(at // BETWEEN_VALID % len(REQUESTS))

    def ask(self, hostile: Hostile) -> Answer:
        try:
            return self._ask(hostile)
        except ConnectionError:  # the server had closed it as idle; what a request itself breaks will break again
            self.connection.close()
            return self._ask(hostile)

    def _ask(self, hostile: Hostile) -> Answer:
        body: Any = hostile.body
        if hostile.is_chunked:
            body = iter([body[:7], body[7:]] if len(body) > 7 else [body or b"{}"])
        headers = self.everything.headers | hostile.headers
        self.connection.request(hostile.method, hostile.path, body, headers, encode_chunked=hostile.is_chunked)
        response = self.connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())

    def check_undisturbed(self, at: int) -> None:
        headers = self.everything.headers | {"content-type": "application/json"}
        answer = self.everything.server.ask("POST", "/v1/rank", json.dumps(REQUESTS[at]).encode(), headers)
        assert answer.status == 200 and answer.json["ranking"] == self.right[at]


def is_in_order(path: str, answer: Answer) -> bool:
    """Whether it is an answer, or the problem of a client, in the shape of its part of the API."""
    if answer.status < 400:
        return True
    if path.partition("?")[0] == "/v2" or path.startswith("/v2/"):
        return answer.status < 500 and set(answer.json) == {"error"}
    return answer.status < 500 and answer.is_problem and answer.json["status"] == answer.status


def test_the_bodies_are_valid_before_they_are_broken(everything: Everything) -> None:
    client = Client(everything)
    for path, body in (("/v1/rank", RANK), ("/v2/models/small/infer", client.infer)):
        hostile = Hostile("POST", path, {"content-type": "application/json"}, json.dumps(body).encode(), False)
        assert client.ask(hostile).status == 200


def test_hundreds_of_hostile_requests(everything: Everything) -> None:
    client = Client(everything)
    client.send(600)
    assert client.statuses[200] and client.statuses[400] and client.statuses[422]
    assert "Traceback" not in everything.server.log_text


@pytest.mark.soak
def test_fifty_thousand_hostile_requests_leave_memory_flat(everything: Everything) -> None:
    client, sizes_mb = Client(everything), list[float]()
    for _ in range(10):
        began = time.monotonic()
        client.send(5_000)
        sizes_mb.append(memory_mb(everything.server.process.pid))
        statuses = dict(sorted(client.statuses.items()))
        sys.stdout.write(
            f"\n5000 requests in {time.monotonic() - began:.0f} s, {sizes_mb[-1]:.1f} MB; all: {statuses}\n"
        )
    assert sizes_mb[-1] < 1.05 * sizes_mb[0]
    assert "Traceback" not in everything.server.log_text


def test_broken_frames_end_their_connection_alone(everything: Everything) -> None:
    client = Client(everything)
    head = b"POST /v1/rank HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
    head = head % everything.headers["authorization"].encode()
    for name, frame in BROKEN_FRAMES.items():
        with socket.create_connection(("127.0.0.1", everything.server.port), timeout=PATIENCE_S) as connection:
            connection.sendall(head + frame)
            connection.shutdown(socket.SHUT_WR)
            answered = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert answered.startswith(b"HTTP/1.1 4") or not answered, (name, answered)
        client.check_undisturbed(0)
    assert "Traceback" not in everything.server.log_text
