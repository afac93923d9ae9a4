"""What create_app() wired, as the routes ask for it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, cast

from fastapi import Depends, Request

from service.feature_store.interface import FeatureStore
from service.http.access import Trace
from service.registry.live import LiveBundle
from service.settings import Settings


# Coroutines, because the framework would run plain functions in a thread.
async def _live(request: Request) -> LiveBundle:
    return cast(LiveBundle, request.app.state.live)


async def _settings(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)


async def _store(request: Request) -> FeatureStore:
    return cast(FeatureStore, request.app.state.store)


async def _threads(request: Request) -> ThreadPoolExecutor:
    return cast(ThreadPoolExecutor, request.app.state.threads)


async def _trace(request: Request) -> Trace:
    return cast(Trace, request.state.trace)


Live = Annotated[LiveBundle, Depends(_live)]
Wired = Annotated[Settings, Depends(_settings)]
Store = Annotated[FeatureStore, Depends(_store)]
Threads = Annotated[ThreadPoolExecutor, Depends(_threads)]
Traced = Annotated[Trace, Depends(_trace)]
