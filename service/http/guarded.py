"""Guarded: routes that say which scope a caller needs; it is asked before anything of the request is read.

A class of routes and not a dependency: those are solved after the framework has read and parsed a body.
"""

import functools
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from fastapi import Request, Response
from fastapi.routing import APIRoute

from service.protection.scope import Scope

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Guarded(APIRoute):
    """Made by `needs`, one class a scope."""

    scope: ClassVar[Scope]

    def get_route_handler(self) -> Handler:
        handle, scope = self.unguarded(), self.scope

        async def guarded(request: Request) -> Response:
            await request.app.state.guard.admit(scope, request.headers)
            return await handle(request)

        return guarded

    def unguarded(self) -> Handler:
        return super().get_route_handler()


class Direct(Guarded):
    """Of routes whose endpoint takes the request itself and returns the whole answer. To find out that nothing else is
    wanted takes the framework longer than parsing a request.
    """

    def unguarded(self) -> Handler:
        handle: Handler = self.endpoint
        return handle


class Open(APIRoute):
    """Routes that are open to all, on purpose: probes."""


@functools.cache
def needs(scope: Scope, kind: type[Guarded] = Guarded) -> type[Guarded]:
    """`APIRouter(route_class=needs(Scope.RANK))`."""
    return type(f"{kind.__name__}Needs{scope.name.title()}", (kind,), {"scope": scope})
