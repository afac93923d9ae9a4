"""Probes: is the process alive, is it ready to rank."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from model.contract.answer import Ready
from service.errors import NotReady
from service.http.answers import channel_states
from service.http.examples import figures, refusals
from service.http.guarded import Open
from service.http.wired import Drained, Live

RETRY_AFTER_S = 1.0
router = APIRouter(tags=["probes"], route_class=Open)


class Alive(BaseModel):
    status: Literal["alive"] = "alive"


@router.get("/healthz", responses={200: figures.ALIVE})
async def healthz() -> Alive:
    """Alive, whether or not a version is ready."""
    return Alive()


@router.get("/readyz", responses={200: figures.READY, 503: refusals.NOT_READY})
async def readyz(live: Live, drain: Drained) -> Ready:
    """Ready to rank; otherwise 503 with the reason. While a live version is refused, the last good one is served."""
    if drain.has_begun:
        raise NotReady("the service is about to stop", RETRY_AFTER_S)
    version = live.ranker.bundle.manifest.version
    return Ready(version=version, refused=live.refused, channels=channel_states(live.state))
