"""What create_app() wired, as the routes ask for it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, cast

from fastapi import Depends, Request

from service.registry.live import LiveBundle
from service.settings import Settings
from service.telemetry.sight import Sight
from service.telemetry.trace import Trace


# Coroutines, because the framework would run plain functions in a thread.
async def _live(request: Request) -> LiveBundle:
    return cast(LiveBundle, request.app.state.live)


async def _settings(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)


async def _threads(request: Request) -> ThreadPoolExecutor:
    return cast(ThreadPoolExecutor, request.app.state.threads)


async def _trace(request: Request) -> Trace:
    return cast(Trace, request.state.trace)


async def _sight(request: Request) -> Sight:
    return cast(Sight, request.app.state.sight)


Live = Annotated[LiveBundle, Depends(_live)]
Wired = Annotated[Settings, Depends(_settings)]
Threads = Annotated[ThreadPoolExecutor, Depends(_threads)]
Traced = Annotated[Trace, Depends(_trace)]
SightOf = Annotated[Sight, Depends(_sight)]
