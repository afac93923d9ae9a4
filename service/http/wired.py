"""What create_app() wired, as the routes ask for it."""

from typing import Annotated, cast

from fastapi import Depends, Request

from service.drain import Drain
from service.feature_store.interface import FeatureStore
from service.http.admission import Admission
from service.registry.live import LiveBundle
from service.settings import Settings
from service.telemetry.sight import Sight
from service.telemetry.trace import Trace


# Coroutines, because the framework would run plain functions in a thread.
async def _live(request: Request) -> LiveBundle:
    return cast(LiveBundle, request.app.state.live)


async def _settings(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)


async def _store(request: Request) -> FeatureStore:
    return cast(FeatureStore, request.app.state.store)


async def _ranking(request: Request) -> Admission:
    return cast(Admission, request.app.state.ranking)


async def _storing(request: Request) -> Admission:
    return cast(Admission, request.app.state.storing)


async def _telling(request: Request) -> Admission:
    return cast(Admission, request.app.state.telling)


async def _drain(request: Request) -> Drain:
    return cast(Drain, request.app.state.drain)


async def _trace(request: Request) -> Trace:
    return cast(Trace, request.state.trace)


async def _sight(request: Request) -> Sight:
    return cast(Sight, request.app.state.sight)


Live = Annotated[LiveBundle, Depends(_live)]
Wired = Annotated[Settings, Depends(_settings)]
Store = Annotated[FeatureStore, Depends(_store)]
RankingAdmission = Annotated[Admission, Depends(_ranking)]
StoringAdmission = Annotated[Admission, Depends(_storing)]
TellingAdmission = Annotated[Admission, Depends(_telling)]
Drained = Annotated[Drain, Depends(_drain)]
Traced = Annotated[Trace, Depends(_trace)]
SightOf = Annotated[Sight, Depends(_sight)]
