"""BodyLimit: a request's body may have so many bytes, announced or not, and may take so long to arrive."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyTooLarge(Exception):
    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The body may have at most {max_bytes} bytes.")


class BodyTooSlow(Exception):
    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"The body must arrive within {timeout_s:g} s.")


class BodyLimit:
    """Pure ASGI; whoever reads too large a body gets BodyTooLarge, before reading it where its length was announced;
    whoever reads one that is not whole `timeout_s` after it was first waited for, BodyTooSlow.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, timeout_s: float) -> None:
        self.app, self.max_bytes, self.timeout_s = app, max_bytes, timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = next((int(value) for name, value in scope["headers"] if name == b"content-length"), 0)
        received, is_whole, deadline = 0, False, 0.0

        async def receive_limited() -> Message:
            nonlocal received, is_whole, deadline
            if is_whole:  # what comes after the body is that the client left, and may take its time
                return await receive()
            if announced > self.max_bytes:
                raise BodyTooLarge(self.max_bytes)
            deadline = deadline or asyncio.get_running_loop().time() + self.timeout_s
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise BodyTooSlow(self.timeout_s) from None
            is_whole = not message.get("more_body", False)
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise BodyTooLarge(self.max_bytes)
            return message

        await self.app(scope, receive_limited, send)
