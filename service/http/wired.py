"""What create_app() wired, as the routes ask for it."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request

from service.drain import Drain
from service.feature_store.interface import FeatureStore
from service.http.admission import Admission
from service.registry.live import LiveBundle
from service.settings import Settings
from service.telemetry.sight import Sight
from service.telemetry.trace import Trace


def _wired(name: str) -> Callable[[Request], Coroutine[Any, Any, Any]]:
    # A coroutine, because the framework would run a plain function in a thread.
    async def wired(request: Request) -> Any:
        return getattr(request.app.state, name)

    return wired


async def _trace(request: Request) -> Trace:
    trace: Trace = request.state.trace
    return trace


Live = Annotated[LiveBundle, Depends(_wired("live"))]
Wired = Annotated[Settings, Depends(_wired("settings"))]
Store = Annotated[FeatureStore, Depends(_wired("store"))]
RankingAdmission = Annotated[Admission, Depends(_wired("ranking"))]
StoringAdmission = Annotated[Admission, Depends(_wired("storing"))]
TellingAdmission = Annotated[Admission, Depends(_wired("telling"))]
Drained = Annotated[Drain, Depends(_wired("drain"))]
SightOf = Annotated[Sight, Depends(_wired("sight"))]
Traced = Annotated[Trace, Depends(_trace)]
