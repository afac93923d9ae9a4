"""Probes: is the process alive, is it ready to rank."""

from fastapi import APIRouter

from service.http import examples
from service.http.answers import channel_states
from service.http.schemas import Alive, Ready
from service.http.wired import Live

router = APIRouter(tags=["probes"])


@router.get("/healthz", responses={200: examples.ALIVE})
async def healthz() -> Alive:
    """Alive, whether or not a version is ready."""
    return Alive()


@router.get("/readyz", responses={200: examples.READY, 503: examples.NOT_READY})
async def readyz(live: Live) -> Ready:
    """Ready to rank; otherwise 503 with the reason. While a live version is refused, the last good one is served."""
    version = live.ranker.bundle.manifest.version
    return Ready(version=version, refused=live.refused, channels=channel_states(live.state))
