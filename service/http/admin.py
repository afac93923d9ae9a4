"""The admin API: which version is live, on trial, or back again."""

import errno
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from model.contract.registry.channels import Channel
from model.contract.registry.operations import Registry
from service.errors import RegistryReadOnly, RegistryUnavailable
from service.http.body import Document, read
from service.http.channels import CanaryTrial, Channels, Promotion, Versions, channels_of, versions_of
from service.http.examples import channels, refusals
from service.http.guarded import needs
from service.http.media import Media, MediaType, UnsupportedBody
from service.http.wired import Live, Wired
from service.protection.scope import Scope
from service.registry.live import LiveBundle

router = APIRouter(prefix="/v1/admin", tags=["admin"], route_class=needs(Scope.ADMIN))
Told = TypeVar("Told")
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
CHANGED: dict[int | str, dict[str, Any]] = {
    200: channels.ASSIGNED,
    409: channels.READ_ONLY,
    422: channels.UNKNOWN_VERSION,
    503: channels.UNAVAILABLE,
}
WITH_BODY = CHANGED | {400: refusals.MALFORMED, 413: refusals.TOO_LARGE, 415: refusals.UNSUPPORTED}


@router.get("/versions", responses={200: channels.PUBLISHED, 503: channels.UNAVAILABLE})
async def list_versions(live: Live, settings: Wired) -> Versions:
    """What the registry has."""
    return await run_in_threadpool(_told, lambda: versions_of(live.registry), settings.registry_poll_s)


@router.post("/promote", responses=WITH_BODY, openapi_extra=channels.PROMOTION_BODY)
async def promote(request: Request, live: Live, settings: Wired) -> Channels:
    """Make a version the live one; what was live becomes `previous`."""
    asked = await _read(Promotion, request)
    return await _change(live, settings.registry_poll_s, lambda registry: registry.promote(asked.version))


@router.post("/rollback", responses=CHANGED)
async def roll_back(live: Live, settings: Wired) -> Channels:
    """Swap `live` and `previous`."""
    return await _change(live, settings.registry_poll_s, Registry.rollback)


@router.post("/canary", responses=WITH_BODY, openapi_extra=channels.CANARY_BODY)
async def try_on_users(request: Request, live: Live, settings: Wired) -> Channels:
    """Let a version answer some of the users."""
    asked = await _read(CanaryTrial, request)
    return await _change(live, settings.registry_poll_s, lambda one: one.try_on_users(asked.version, asked.percent))


@router.delete("/canary", responses=CHANGED)
async def end_canary(live: Live, settings: Wired) -> Channels:
    return await _change(live, settings.registry_poll_s, lambda registry: registry.end_trial(Channel.CANARY))


@router.post("/shadow", responses=WITH_BODY, openapi_extra=channels.PROMOTION_BODY)
async def try_in_shadow(request: Request, live: Live, settings: Wired) -> Channels:
    """Let a version rank what the live one answers, and log how much they differ."""
    asked = await _read(Promotion, request)
    return await _change(live, settings.registry_poll_s, lambda registry: registry.try_in_shadow(asked.version))


@router.delete("/shadow", responses=CHANGED)
async def end_shadow(live: Live, settings: Wired) -> Channels:
    return await _change(live, settings.registry_poll_s, lambda registry: registry.end_trial(Channel.SHADOW))


async def _read(kind: type[Document], request: Request) -> Document:
    if Media.of(request).sent is not MediaType.JSON:
        raise UnsupportedBody(f"Expected Content-Type {MediaType.JSON}, found {MediaType.ARROW}.")
    return read(kind, await request.body())


async def _change(live: LiveBundle, retry_after_s: float, change: Callable[[Registry], object]) -> Channels:
    """In a thread: the registry may be far away, or another writer's turn."""

    def changed() -> Channels:
        change(live.registry)
        return channels_of(live.registry)

    told = await run_in_threadpool(_told, changed, retry_after_s)
    live.look_now()
    return told


def _told(ask: Callable[[], Told], retry_after_s: float) -> Told:
    try:
        return ask()
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in READ_ONLY or isinstance(error, PermissionError):
            raise RegistryReadOnly(f"{reason}. Change it with the command `watchnext`.") from error
        raise RegistryUnavailable(reason, retry_after_s) from error
