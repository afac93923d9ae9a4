"""AccessLog: one plain line a request, an id in every answer, and nothing leaked when the service fails."""

import logging

import pytest
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from service.http.access import AccessLog
from service.telemetry.trace import Trace
from tests.service.asgi import call

noted: list[Trace] = []


def answering(status: int) -> ASGIApp:
    return AccessLog(PlainTextResponse("fine", status), noted.append)


def failing(error: Exception) -> ASGIApp:
    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise error

    return AccessLog(app, noted.append)


def test_the_line_and_the_header(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answer = call(answering(201), "GET", "/a%0ab")
    assert caplog.messages[0].startswith("GET /a%0ab 201 ")
    assert caplog.messages[0].endswith(f"ms request_id={answer.headers['x-request-id']}")


def test_a_failure_is_told_to_the_log_and_not_to_the_client(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answer = call(failing(RuntimeError("the secret")), "GET", "/x")
    assert (answer.status, answer.is_problem) == (500, True)
    assert b"secret" not in answer.body and "the secret" in caplog.text
    assert answer.json["request_id"] == answer.headers["x-request-id"]
    assert "GET /x 500" in caplog.messages[-1] and answer.json["request_id"] in caplog.messages[0]


def test_a_client_that_left_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(IndexError):  # nothing was sent
        call(failing(ClientDisconnect()), "POST", "/x")
    assert [one.levelname for one in caplog.records] == ["INFO"]
