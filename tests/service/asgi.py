"""Calls an ASGI app in this process, one request at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

from tests.service.server import Answer

JSON = {"content-type": "application/json"}


def call(
    app: ASGIApp, method: str, path: str, chunks: Sequence[bytes] = (b"",), headers: Mapping[str, str] = JSON
) -> Answer:
    """`chunks` are the body as it arrives, of no announced length."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    waiting: list[Message] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    waiting[-1]["more_body"] = False
    sent: list[Any] = []

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    found = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], found, b"".join(one.get("body", b"") for one in sent[1:]))
