"""Collector: what the tallies and the workers tell, as Prometheus reads it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily

from model.contract.bundle import Manifest
from model.contract.drift import Intervals, psi
from service.telemetry.distributions import NUM_CANDIDATES, WHOLE, Distributions, Family
from service.telemetry.tally import Counts, Key
from service.telemetry.workers import Worker, Workers

LEAST_VALUES = 1_000  # of which drift is told: by chance alone it is then about 0.01
DRIFTING = (Family.PREDICTION, Family.SCORE, Family.FEATURE)


class Collector:
    """`manifest` is that of the version served by this worker, None while there is none."""

    def __init__(self, distributions: Distributions, workers: Workers, manifest: Callable[[], Manifest | None]) -> None:
        self._distributions, self._workers, self._manifest = distributions, workers, manifest

    def collect(self) -> Iterator[Metric]:
        yield from _of_requests(self._distributions.read())
        yield from _of_versions(self._distributions.read_versions())
        yield from _of_workers(self._workers.read())
        yield from _of_experts(self._manifest())


def drifts(counts: Mapping[Key, Counts]) -> dict[Key, float]:
    """The PSI of each distribution of which training and the window know enough."""
    return {
        key: psi(np.array(one.distribution.shares), one.window)
        for key, one in counts.items()
        if key[0] in DRIFTING and sum(one.distribution.shares) > 0 and one.window.sum() >= LEAST_VALUES
    }


def _of_requests(counts: Mapping[Key, Counts]) -> Iterator[Metric]:
    whole = _histogram("rank_seconds", "Time from a ranking request's first byte to its answer.")
    stages = _histogram("stage_seconds", "Time that each stage of a ranking request took.", "stage")
    candidates = _histogram("candidates", "Candidates of a ranking request.")
    for key, one in counts.items():
        if key == WHOLE:
            _add(whole, [], one)
        elif key == NUM_CANDIDATES:
            _add(candidates, [], one)
        else:
            _add(stages, [key[1]], one)
    yield from (whole, stages, candidates)


def _of_versions(by_version: Mapping[str, Mapping[Key, Counts]]) -> Iterator[Metric]:
    predictions = _histogram("prediction", "Predictions of candidates, in the task's unit.", "task", "version")
    scores = _histogram("score", "Scores of candidates, by policy.", "policy", "version")
    told = "Population stability index of late traffic against training, by task, policy or feature."
    drift = GaugeMetricFamily("watchnext_drift_psi", told, labels=["family", "name", "version"])
    for version, counts in by_version.items():
        for (family, name), one in counts.items():
            if family != Family.FEATURE:
                _add(predictions if family == Family.PREDICTION else scores, [name, version], one)
        for (family, name), index in drifts(counts).items():
            drift.add_metric([family, name, version], index)
    yield from (predictions, scores, drift)


def _of_workers(workers: Sequence[Worker]) -> Iterator[Metric]:
    served = GaugeMetricFamily("watchnext_version_workers", "Workers that serve a version.", labels=["version", "name"])
    since = GaugeMetricFamily("watchnext_version_since_seconds", "When its first worker began to.", labels=["version"])
    by_version: dict[str, list[Worker]] = {}
    for one in workers:
        by_version.setdefault(one.version or "", []).append(one)
    for version in sorted(by_version.keys() - {""}):
        those = by_version[version]
        served.add_metric([version, those[0].name or ""], len(those))
        since.add_metric([version], min(one.since or 0.0 for one in those))
    yield from (served, since)
    yield _gauge("workers", "Worker processes.", len(workers))
    yield _gauge("unready_workers", "Workers that have no version to rank with.", len(by_version.get("", [])))
    yield _gauge(
        "refusing_workers", "Workers that refuse the live version.", sum(one.refused is not None for one in workers)
    )


def _of_experts(manifest: Manifest | None) -> Iterator[Metric]:
    """Of the live version, as training measured them on validation: gates are inside of the graph that is served."""
    entropy = GaugeMetricFamily(
        "watchnext_gate_entropy",
        "Mean entropy of a gate's weights at publishing, 1 for all experts alike, 0 for one alone.",
        labels=["gate", "task", "version"],
    )
    alarms = GaugeMetricFamily("watchnext_expert_alarms", "Alarms about experts at publishing.", labels=["version"])
    if manifest is not None:
        health: Mapping[str, Any] = manifest.health
        for gate in health.get("gates", ()):
            for task, value in zip(manifest.tasks, gate["entropy"], strict=True):
                entropy.add_metric([gate["name"], task.name, manifest.version], value)
        alarms.add_metric([manifest.version], len(health.get("alarms", ())))
    yield from (entropy, alarms)


def _histogram(name: str, told: str, *labels: str) -> HistogramMetricFamily:
    return HistogramMetricFamily(f"watchnext_{name}", told, labels=labels)


def _gauge(name: str, told: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"watchnext_{name}", told, value=value)


def _add(histogram: HistogramMetricFamily, labels: Sequence[str], counts: Counts) -> None:
    assert isinstance(counts.distribution, Intervals)
    upto = np.cumsum(counts.total)
    edges = [f"{edge:.6g}" for edge in counts.distribution.edges]
    buckets = [*zip(edges, upto.tolist(), strict=False), ("+Inf", float(upto[-1]))]
    histogram.add_metric(labels, buckets, counts.sum)
