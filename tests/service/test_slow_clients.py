"""Clients that send slowly, or never end: cut off after a while, and nobody else is disturbed."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.service.server import Server, serving

HEAD = b"POST /v1/rank HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def impatient(registry: Path) -> Iterator[Server]:
    with serving(registry, "--request-timeout-ms", "300") as server:
        server.wait_until_ready()
        yield server


def connect(server: Server) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=0.05)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def dribble(connection: socket.socket, first: bytes, each: bytes) -> bytes:
    """Sends `each` again and again until the server has closed; what it had said."""
    connection.sendall(first)
    said, deadline = b"", time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            heard = connection.recv(65536)
            said += heard
            if not heard:
                return said
        except TimeoutError:
            pass
        except OSError:
            return said
        with suppress(OSError):  # closed; there may be something to read yet
            connection.sendall(each)
    raise AssertionError(f"still connected after {PATIENCE_S} s, having heard {said!r}")


def test_a_body_that_dribbles_in_is_a_problem(impatient: Server) -> None:
    with connect(impatient) as connection:
        said = dribble(connection, HEAD + b"Content-Length: 100000\r\n\r\n", b" ")
    assert said.startswith(b"HTTP/1.1 408 ") and b"urn:watchnext:problem:body-too-slow" in said
    assert b"connection: close" in said


def test_headers_that_dribble_in_are_cut_off(impatient: Server) -> None:
    with connect(impatient) as connection:
        assert dribble(connection, HEAD, b"X-A: b\r\n").startswith(b"HTTP/1.1 408 ")


def test_whoever_says_nothing_is_cut_off(impatient: Server) -> None:
    with connect(impatient) as connection:
        assert dribble(connection, b"", b"").startswith(b"HTTP/1.1 408 ")


def test_whoever_goes_on_sending_what_was_refused_is_cut_off(impatient: Server) -> None:
    with connect(impatient) as connection:
        said = dribble(connection, b"POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", b" ")
    assert said.startswith(b"HTTP/1.1 404 ") and said.count(b"HTTP/1.1") == 1


def test_a_second_request_that_dribbles_in_is_cut_off(impatient: Server) -> None:
    with connect(impatient) as connection:
        said = dribble(connection, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + HEAD, b"X-A: b\r\n")
    assert said.startswith(b"HTTP/1.1 200 ") and b"HTTP/1.1 408 " in said


def test_endless_headers_are_cut_off(impatient: Server) -> None:
    with connect(impatient) as connection:
        said = dribble(connection, HEAD + b"X-A: ", b"x" * 50_000)
    assert said.startswith(b"HTTP/1.1 431 ") or not said  # the answer is lost where more was under way


def test_requests_one_after_another_in_one_go_are_answered(impatient: Server) -> None:
    body = b'{"candidates": ["v1"]}'
    one = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with connect(impatient) as connection:
        connection.settimeout(PATIENCE_S)
        connection.sendall(one * 20)
        said = b""
        while said.count(b"HTTP/1.1 200 ") < 20:
            heard = connection.recv(65536)
            assert heard, said[-500:]
            said += heard


def test_many_slow_clients_keep_nobody_waiting(impatient: Server) -> None:
    with ExitStack() as slow:
        for _ in range(200):
            slow.enter_context(connect(impatient)).sendall(HEAD + b"Content-Length: 100000\r\n\r\n{")
        assert {impatient.rank({"candidates": ["v1"]}).status for _ in range(20)} == {200}
    assert "Traceback" not in impatient.log_text
