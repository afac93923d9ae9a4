"""create_app(): the only place that wires things."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from model.contract.registry import open_registry
from service.http import admin, errors, openapi, probes, routes
from service.http.access import AccessLog
from service.http.body_limit import BodyLimit
from service.ranking.pipeline import rank
from service.registry.live import LiveBundle
from service.registry.loading import load_ranker
from service.registry.shadow import Shadow
from service.settings import Settings


def create_app(settings: Settings) -> FastAPI:
    live = LiveBundle(
        open_registry(settings.registry),
        partial(load_ranker, num_threads=settings.runtime_threads),
        settings.registry_poll_s,
        settings.registry_cache,
        Shadow(rank),
    )
    threads = ThreadPoolExecutor(settings.requests_at_once, thread_name_prefix="rank")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(live.start)  # a worker takes no connection before
        yield
        live.stop()
        threads.shutdown(wait=False)

    app = FastAPI(title="WatchNext", version="1", description=openapi.DESCRIPTION, lifespan=lifespan)
    app.state.live, app.state.settings, app.state.threads = live, settings, threads
    app.include_router(routes.router)
    app.include_router(probes.router)
    app.include_router(admin.router)
    errors.install(app)
    openapi.install(app)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    app.add_middleware(AccessLog)  # outermost: it sees every answer
    return app


def from_environment() -> FastAPI:
    """What uvicorn calls in each worker process."""
    return create_app(Settings())
