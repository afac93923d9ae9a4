"""create_app(): the only place that wires things."""

import gc
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from service.http import errors, figures, openapi, probes, routes
from service.http.access import AccessLog
from service.http.body_limit import BodyLimit
from service.registry.live import LiveBundle
from service.registry.loading import load_ranker
from service.settings import Settings
from service.telemetry.sight import Sight


def create_app(settings: Settings) -> FastAPI:
    live = LiveBundle(
        settings.registry, partial(load_ranker, num_threads=settings.runtime_threads), settings.registry_poll_s
    )
    sight = Sight(live, settings.traces_endpoint)
    threads = ThreadPoolExecutor(settings.requests_at_once, thread_name_prefix="rank")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(live.start)  # a worker takes no connection before
        sight.recorder.start()
        gc.freeze()  # what was loaded stays: no collection need look at it again
        yield
        live.stop()
        threads.shutdown(wait=False)
        sight.recorder.stop()

    app = FastAPI(title="WatchNext", version="1", description=openapi.DESCRIPTION, lifespan=lifespan)
    app.state.live, app.state.settings, app.state.threads, app.state.sight = live, settings, threads, sight
    app.include_router(routes.router)
    app.include_router(probes.router)
    app.include_router(figures.router)
    errors.install(app)
    openapi.install(app)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    app.add_middleware(AccessLog, note=sight.recorder.note)  # outermost: it sees every answer
    return app


def from_environment() -> FastAPI:
    """What uvicorn calls in each worker process."""
    return create_app(Settings())
