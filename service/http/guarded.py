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
        handle, scope = super().get_route_handler(), self.scope

        async def guarded(request: Request) -> Response:
            await request.app.state.guard.admit(scope, request.headers)
            return await handle(request)

        return guarded


class Open(APIRoute):
    """Routes that are open to all, on purpose: probes."""


@functools.cache
def needs(scope: Scope) -> type[Guarded]:
    """`APIRouter(route_class=needs(Scope.RANK))`."""
    return type(f"Needs{scope.name.title()}", (Guarded,), {"scope": scope})
