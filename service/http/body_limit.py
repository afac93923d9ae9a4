"""BodyLimit: a request's body may have so many bytes, announced or not."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyTooLarge(Exception):
    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The body may have at most {max_bytes} bytes.")


class BodyLimit:
    """Pure ASGI; whoever reads too large a body gets BodyTooLarge, before reading it where its length was announced."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app, self.max_bytes = app, max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = next((int(value) for name, value in scope["headers"] if name == b"content-length"), 0)
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            if announced > self.max_bytes:
                raise BodyTooLarge(self.max_bytes)
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise BodyTooLarge(self.max_bytes)
            return message

        await self.app(scope, receive_limited, send)
