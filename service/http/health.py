"""Health of the live version, in figures and words for people."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
from pydantic import BaseModel, Field, JsonValue

from model.contract.bundle import Manifest
from model.contract.drift import Intervals, in_words
from service.telemetry.collector import drifts
from service.telemetry.distributions import NUM_CANDIDATES, WHOLE, Family
from service.telemetry.sight import Sight
from service.telemetry.tally import Counts, Key


class WorkersHealth(BaseModel):
    total: int
    serving: int = Field(description="this version")
    refusals: list[str] = Field(description="why workers do not serve the registry's live version")


class Latency(BaseModel):
    """Of the last requests of each worker, up to about ten thousand; null while there were none."""

    requests: int
    p50_ms: float | None
    p99_ms: float | None


class Drift(BaseModel):
    psi: float = Field(description="population stability index of late traffic against training")
    reading: str = Field(description="stable below 0.1, moderate below 0.25, large from there")


class HealthResponse(BaseModel):
    """Counts are of all workers since the service began."""

    version: str
    name: str
    since: datetime | None = Field(description="when the first of its workers began to serve it")
    workers: WorkersHealth
    ranked: int = Field(description="requests")
    candidates: float | None = Field(description="of one request, on average")
    latency: Latency
    warnings: dict[str, float] = Field(description="ids and values that were not known, of one request on average")
    drift: dict[str, dict[str, Drift]] = Field(
        description="of predictions by task, of scores by policy, of features; those of which enough was seen"
    )
    experts: dict[str, JsonValue] = Field(description="as training measured them on validation")


def health_of(manifest: Manifest, sight: Sight) -> HealthResponse:
    warnings = _warnings(sight)
    counts, workers = sight.distributions.read(), sight.workers.read()
    serving = [one for one in workers if one.version == manifest.version]
    since = min((one.since for one in serving if one.since is not None), default=None)
    ranked = int(counts[WHOLE].total.sum())
    return HealthResponse(
        version=manifest.version,
        name=manifest.name,
        since=None if since is None else datetime.fromtimestamp(int(since), UTC),
        workers=WorkersHealth(
            total=len(workers),
            serving=len(serving),
            refusals=sorted({one.refused for one in workers if one.refused is not None}),
        ),
        ranked=ranked,
        candidates=counts[NUM_CANDIDATES].sum / ranked if ranked else None,
        latency=_latency(counts[WHOLE]),
        warnings={what: number / max(ranked, 1) for what, number in warnings.items()},
        drift=_drift(sight.distributions.read_versions().get(manifest.version, {})),
        experts=manifest.health,
    )


def _warnings(sight: Sight) -> dict[str, float]:
    """Counts, by kind of warning and, for categories, the feature."""
    return {
        " ".join(filter(None, (one.labels["kind"], one.labels["feature"]))): one.value
        for metric in sight.figures().collect()
        for one in metric.samples
        if one.name == "watchnext_warnings_total" and one.value
    }


def _latency(counts: Counts) -> Latency:
    p50, p99 = (quantile(counts, share) for share in (0.5, 0.99))
    return Latency(requests=int(counts.window.sum()), p50_ms=p50 and p50 * 1000, p99_ms=p99 and p99 * 1000)


def quantile(counts: Counts, share: float) -> float | None:
    """Of the window, as if values lay evenly in their bin; at most the last edge, as of Prometheus."""
    if not counts.window.sum():
        return None
    assert isinstance(counts.distribution, Intervals)
    upto = np.concatenate([[0.0], np.cumsum(counts.window[:-2])])
    edges = (0.0, *counts.distribution.edges)
    return float(np.interp(share * counts.window.sum(), upto, edges))


def _drift(counts: Mapping[Key, Counts]) -> dict[str, dict[str, Drift]]:
    found: dict[str, dict[str, Drift]] = {Family.PREDICTION: {}, Family.SCORE: {}, Family.FEATURE: {}}
    for (family, name), index in drifts(counts).items():
        found[family][name] = Drift(psi=round(index, 4), reading=in_words(index))
    return {f"{family}s": of_family for family, of_family in found.items()}
