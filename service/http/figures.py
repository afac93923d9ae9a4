"""Figures of the service: metrics for Prometheus, health for people."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from service.http import examples
from service.http.guarded import needs
from service.http.health import HealthResponse, health_of
from service.http.wired import Live, SightOf
from service.protection.scope import Scope

router = APIRouter(tags=["figures"], route_class=needs(Scope.RANK))
metrics_router = APIRouter(tags=["figures"], route_class=needs(Scope.METRICS))


@metrics_router.get("/metrics", response_class=Response, responses={200: examples.METRICS})
def metrics(sight: SightOf) -> Response:
    """Of all workers, in Prometheus' text format."""
    return Response(generate_latest(sight.figures()), media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/model/health", responses={200: examples.HEALTH, 503: examples.NOT_READY})
def describe_health(live: Live, sight: SightOf) -> HealthResponse:
    """How the live version does: how fast, how far from what it was trained on, how its experts are."""
    return health_of(live.ranker.bundle.manifest, sight)
