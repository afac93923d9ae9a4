"""create_app(): the only place that wires things."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.middleware.cors import CORSMiddleware
from fastapi.telemetry import TelemetryConfig

from model.contract import kernels
from model.contract.mistakes import InputError
from model.contract.registry import open_registry
from service.drain import Drain
from service.feature_store import open_store
from service.http import admin, errors, features, figures, openapi, probes, routes
from service.http.access import AccessLog
from service.http.admission import Admission
from service.http.body_limit import BodyLimit
from service.http.security_headers import SecurityHeaders, cors
from service.http.v2 import routes as v2_routes
from service.protection.startup import guard_of
from service.ranking.pipeline import rank
from service.registry.live import LiveBundle
from service.registry.loading import load_ranker
from service.registry.shadow import Shadow
from service.settings import Settings
from service.telemetry.sight import Sight

logger = logging.getLogger(__name__)
STORED_AT_ONCE, TOLD_AT_ONCE = 4, 1  # writes wait for a disk or a network; metrics are one thread's work
OFF = TelemetryConfig(tracing=False, metrics=False, logs=False)  # the framework's: ours tells more (service/telemetry)
ROUTERS = (
    routes.router,
    features.router,
    v2_routes.router,
    probes.router,
    admin.router,
    figures.router,
    figures.metrics_router,
)


def create_app(settings: Settings) -> FastAPI:
    store, guard, drain = open_store(settings), guard_of(settings), Drain(settings.drain_s)
    live = LiveBundle(
        open_registry(settings.registry),
        partial(load_ranker, num_threads=settings.runtime_threads),
        settings.registry_poll_s,
        settings.registry_cache,
        Shadow(partial(rank, store=store)),
    )
    waiting = settings.max_queue, settings.request_timeout_ms
    ranking, storing, telling = (
        Admission(at_once, *waiting) for at_once in (settings.requests_at_once, STORED_AT_ONCE, TOLD_AT_ONCE)
    )
    sight = Sight(live, settings.traces_endpoint)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with drain.on_sigterm():  # in place before anybody is told that the worker is there
            await run_in_threadpool(live.start)  # it takes no connection before
            sight.recorder.start()
            yield
        live.stop()
        for one in (ranking, storing, telling):
            one.stop()
        sight.recorder.stop()
        store.close()

    # No redirect from /v1/rank/ to /v1/rank: it would lead wherever the request's Host says.
    app = FastAPI(
        title="WatchNext",
        version="1",
        description=openapi.DESCRIPTION,
        lifespan=lifespan,
        redirect_slashes=False,
        telemetry=OFF,
    )
    app.state.live, app.state.store, app.state.settings, app.state.sight = live, store, settings, sight
    app.state.guard, app.state.drain = guard, drain
    app.state.ranking, app.state.storing, app.state.telling = ranking, storing, telling
    app.router.routes.insert(0, routes.rank_route)  # it is asked for most: no other need be looked at before
    for router in ROUTERS:
        app.include_router(router)
    errors.install(app)
    openapi.install(app)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes, timeout_s=settings.request_timeout_ms / 1000)
    if settings.allowed_origins:
        app.add_middleware(CORSMiddleware, **cors(settings.allowed_origins))
    app.add_middleware(AccessLog, note=sight.recorder.note)  # it sees every answer
    app.add_middleware(SecurityHeaders, is_draining=lambda: drain.has_begun)
    return app


def from_environment() -> FastAPI:
    """What uvicorn calls in each worker process."""
    if kernels.COMPILED is None:
        logger.warning("the kernels were not compiled (was there no C compiler?): numpy ranks the same, more slowly")
    try:
        return create_app(Settings())
    except InputError as error:  # of a file that was good when the service began: another worker may still have it
        logger.error("a worker cannot start: %s", "; ".join(map(str, error.mistakes)))
        raise SystemExit(2) from None
