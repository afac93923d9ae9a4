"""Guarded: routes that say which scope a caller needs; it is asked before anything of the request is read.

A class of routes and not a dependency: those are solved after the framework has read and parsed a body.
"""

import functools
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Receive, Send
from starlette.types import Scope as Connection

from service.protection.scope import Scope

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Guarded(APIRoute):
    """Made by `needs`, one class a scope."""

    scope: ClassVar[Scope]

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            await self.admit(request)
            return await handle(request)

        return guarded

    async def admit(self, request: Request) -> None:
        await request.app.state.guard.admit(self.scope, request.headers)


class Direct(Guarded):
    """Of routes whose endpoint takes the request itself and returns the whole answer. To find out that nothing else is
    wanted, and to prepare for what there is not to clean up, takes the framework longer than parsing a request.
    """

    async def handle(self, scope: Connection, receive: Receive, send: Send) -> None:
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)  # it says which are allowed
            return
        request = Request(scope, receive, send)
        await self.admit(request)
        response = await self.endpoint(request)
        await response(scope, receive, send)


class Open(APIRoute):
    """Routes that are open to all, on purpose: probes."""


@functools.cache
def needs(scope: Scope, kind: type[Guarded] = Guarded) -> type[Guarded]:
    """`APIRouter(route_class=needs(Scope.RANK))`."""
    return type(f"{kind.__name__}Needs{scope.name.title()}", (kind,), {"scope": scope})
