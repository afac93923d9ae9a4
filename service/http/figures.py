"""Figures of the service: metrics for Prometheus, health for people."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from service.http.examples import figures, refusals
from service.http.guarded import needs
from service.http.health import HealthResponse, health_of
from service.http.wired import Live, SightOf, TellingAdmission
from service.protection.scope import Scope

router = APIRouter(tags=["figures"], route_class=needs(Scope.RANK))
metrics_router = APIRouter(tags=["figures"], route_class=needs(Scope.METRICS))


@metrics_router.get("/metrics", response_class=Response, responses={200: figures.METRICS, **refusals.ADMITTED})
async def metrics(request: Request, sight: SightOf, admission: TellingAdmission) -> Response:
    """Of all workers, in Prometheus' text format."""
    text = await admission.run(request, lambda _: generate_latest(sight.figures()))
    return Response(text, media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/model/health", responses={200: figures.HEALTH, **refusals.ADMITTED})
async def describe_health(request: Request, live: Live, sight: SightOf, admission: TellingAdmission) -> HealthResponse:
    """How the live version does: how fast, how far from what it was trained on, how its experts are."""
    manifest = live.ranker.bundle.manifest
    return await admission.run(request, lambda _: health_of(manifest, sight))
