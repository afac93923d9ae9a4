"""create_app(): the only place that wires things."""

import gc
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from service.feature_store import open_store
from service.http import errors, features, openapi, probes, routes
from service.http.access import AccessLog
from service.http.body_limit import BodyLimit
from service.registry.live import LiveBundle
from service.registry.loading import load_ranker
from service.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    live = LiveBundle(
        settings.registry, partial(load_ranker, num_threads=settings.runtime_threads), settings.registry_poll_s
    )
    store = open_store(settings)
    threads = ThreadPoolExecutor(settings.requests_at_once, thread_name_prefix="rank")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(live.start)  # a worker takes no connection before
        gc.freeze()  # what was loaded stays: no collection need look at it again
        yield
        live.stop()
        threads.shutdown(wait=False)
        store.close()

    app = FastAPI(title="WatchNext", version="1", description=openapi.DESCRIPTION, lifespan=lifespan)
    app.state.live, app.state.settings, app.state.threads = live, settings, threads
    app.state.store = store
    app.include_router(routes.router)
    app.include_router(features.router)
    app.include_router(probes.router)
    errors.install(app)
    openapi.install(app)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    app.add_middleware(AccessLog)  # outermost: it sees every answer
    return app


def from_environment() -> FastAPI:
    """What uvicorn calls in each worker process."""
    return create_app(Settings())
