"""SecurityHeaders: what browsers are told of every answer, and clients of a service that is about to stop."""

from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.admission import TIMEOUT_HEADER

Headers = list[tuple[bytes, bytes]]
ALWAYS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
NOTHING = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
# Swagger UI and ReDoc come from a CDN and are started by a script in the page itself.
DOCUMENTATION = (
    b"content-security-policy",
    b"default-src 'none'; script-src 'unsafe-inline' https://cdn.jsdelivr.net; "
    b"style-src 'unsafe-inline' https://cdn.jsdelivr.net https://fonts.googleapis.com; "
    b"font-src https://fonts.gstatic.com; img-src 'self' data: https://fastapi.tiangolo.com https://cdn.redoc.ly; "
    b"worker-src blob:; connect-src 'self'; frame-ancestors 'none'",
)
DOCUMENTATION_PATHS = frozenset({"/docs", "/redoc", "/docs/oauth2-redirect"})
HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")
CLOSE = (b"connection", b"close")


def cors(origins: list[str]) -> dict[str, Any]:
    """Options of CORSMiddleware: which pages may call, with what, and what they may read of an answer. No cookies."""
    return {
        "allow_origins": origins,
        "allow_methods": ["GET", "POST", "PUT", "DELETE"],
        "allow_headers": ["Authorization", "Content-Type", TIMEOUT_HEADER],
        "expose_headers": ["X-Request-Id", "Retry-After"],
    }


class SecurityHeaders:
    """Pure ASGI."""

    def __init__(self, app: ASGIApp, is_draining: Callable[[], bool]) -> None:
        self.app, self.is_draining = app, is_draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], *ALWAYS]
                headers.append(DOCUMENTATION if scope["path"] in DOCUMENTATION_PATHS else NOTHING)
                if scope["scheme"] == "https":
                    headers.append(HTTPS_ONLY)
                if self.is_draining():
                    headers.append(CLOSE)  # a client that stays connected would meet a closed door
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, send_with_headers)
