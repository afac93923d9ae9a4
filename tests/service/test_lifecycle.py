"""A real server over its life: not ready, ready, a new version, a damaged one, the end."""

import json
import shutil
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from model.contract.bundle import MANIFEST
from tests.service.server import Answer, Server, serving, wait_for
from tests.service.small_bundle import VERSION, republish

REQUEST = {"candidates": ["v1", "v2"]}


def test_from_no_registry_to_a_refused_version(registry: Path, tmp_path: Path) -> None:
    own = tmp_path / "registry"
    with serving(own) as server:
        told = wait_for(lambda: server.ask("GET", "/readyz"), lambda answer: b"expected a registry" in answer.body)
        assert (told.status, told.is_problem) == (503, True)
        refused = server.rank(REQUEST)
        assert (refused.status, refused.is_problem, refused.headers["retry-after"]) == (503, True, "1")

        shutil.copytree(registry, tmp_path / "published")
        (tmp_path / "published").rename(own)
        assert server.wait_until_ready().json["version"] == VERSION
        assert server.rank(REQUEST).json["version"] == VERSION

        republish(own, "v-two")
        serving_version(server, "v-two")
        assert server.rank(REQUEST).json["version"] == "v-two"

        republish(own, "v-three", damage=lambda folder: (folder / MANIFEST).unlink())
        told = wait_for(lambda: server.ask("GET", "/readyz"), lambda answer: answer.json["refused"] is not None)
        assert told.status == 200 and "manifest" in told.json["refused"]
        assert server.rank(REQUEST).json["version"] == "v-two"


def serving_version(server: Server, version: str) -> Answer:
    return wait_for(lambda: server.ask("GET", "/readyz"), lambda answer: answer.json.get("version") == version)


def test_no_request_is_lost_while_versions_change(own_registry: Path) -> None:
    def ask(at: int) -> Answer:
        return server.rank(REQUEST | {"request_id": f"r{at}", "candidates": [f"v{at % 40}", f"v{(at + 1) % 40}"]})

    with serving(own_registry) as server, ThreadPoolExecutor(8) as clients:
        server.wait_until_ready()
        first = [clients.submit(ask, at) for at in range(100)]
        republish(own_registry, "v-two")
        serving_version(server, "v-two")
        answers = [one.result() for one in [*first, *(clients.submit(ask, at) for at in range(100, 200))]]
    assert {answer.status for answer in answers} == {200}
    assert {answer.json["version"] for answer in answers} == {VERSION, "v-two"}
    for at, answer in enumerate(answers):
        assert answer.json["request_id"] == f"r{at}"
        assert {one["id"] for one in answer.json["ranking"]} == {f"v{at % 40}", f"v{(at + 1) % 40}"}


def test_a_damaged_first_version_is_told(own_registry: Path) -> None:
    path = own_registry / "versions" / VERSION / "graphs" / "rank.onnx"
    path.write_bytes(path.read_bytes()[:-1])
    with serving(own_registry) as server:
        told = wait_for(lambda: server.ask("GET", "/readyz"), lambda answer: b"rank.onnx" in answer.body)
        assert (told.status, told.is_problem, server.rank(REQUEST).status) == (503, True, 503)
        assert server.ask("GET", "/healthz").status == 200


def test_a_request_in_flight_ends_before_the_server_does(registry: Path) -> None:
    body = json.dumps(REQUEST).encode()
    head = f"POST /v1/rank HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with serving(registry) as server:
        server.wait_until_ready()
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(head.encode() + body[:5])
            time.sleep(0.3)
            server.process.terminate()
            time.sleep(0.5)
            with pytest.raises(OSError):
                server.ask("GET", "/healthz")
            connection.sendall(body[5:])
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert server.process.wait(20) == 0
        assert "Traceback" not in server.log_text
