"""BodyLimit: counts what arrives, whatever was announced."""

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.http.body_limit import BodyLimit, BodyTooLarge
from tests.service.asgi import call


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await Response(await Request(scope, receive).body())(scope, receive, send)


LIMITED = BodyLimit(echo, max_bytes=10, timeout_s=60.0)


def test_a_body_of_the_limit_passes() -> None:
    assert call(LIMITED, "POST", "/", [b"01234", b"56789"]).body == b"0123456789"


@pytest.mark.parametrize("chunks", [[b"0123456789a"], [b"01234", b"56789", b"a"]])
def test_a_longer_one_does_not(chunks: list[bytes]) -> None:
    with pytest.raises(BodyTooLarge, match="at most 10 bytes"):
        call(LIMITED, "POST", "/", chunks)


def test_an_announced_one_is_not_even_read() -> None:
    with pytest.raises(BodyTooLarge):
        call(LIMITED, "POST", "/", [b""], {"content-length": "11"})
