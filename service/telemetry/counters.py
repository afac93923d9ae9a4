"""Counters: what happened how often, in prometheus-client's own files, which all workers share."""

from collections import Counter as Tallied
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Summary

from service.telemetry.trace import Trace

NO_ROUTE, NO_ANSWER = "none", "none"  # nothing is at the path; the client had left


class Counters:
    """The fields are for whoever sees such a thing happen to count it: `counters.overloads.labels("queue").inc()`.

    One costs some microseconds: on the way of each request let `take` do it, in bulk.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, told: str, *labels: str) -> Counter:
            return Counter(f"watchnext_{name}", told, labels, registry=registry)

        def by_reason(name: str, told: str, *reasons: str) -> Counter:
            """With a zero for each reason: of a series that begins with 1 Prometheus would see no increase."""
            one = counter(name, told, "reason")
            for reason in reasons:
                one.labels(reason)
            return one

        self.requests = counter("requests", "Requests by route and status.", "route", "status")
        self.unknown = counter("unknown", "Ids and values that the version did not know.", "kind", "feature")
        self.versions_loaded = counter("versions_loaded", "Versions that a worker took into service.")
        self.versions_refused = by_reason("versions_refused", "Versions that a worker refused.", "damaged", "failed")
        self.overloads = by_reason("overloads", "Requests refused for overload.", "queue", "deadline")
        self.rate_limited = counter("rate_limited", "Requests refused because their key had no allowance left.")
        self.store_failures = by_reason(
            "store_failures", "Requests ranked without stored features.", "timeout", "error"
        )
        self.shadow_dropped = counter("shadow_dropped", "Requests that the shadow version was too slow to score.")
        self.shadow_disagreement = Summary(
            "watchnext_shadow_disagreement",
            "Mean absolute difference of a request's predictions between shadow and live, by task.",
            ["task"],
            registry=registry,
        )

    def take(self, traces: Sequence[Trace]) -> None:
        requests = Tallied((one.route or NO_ROUTE, str(one.status or NO_ANSWER)) for one in traces)
        for labels, number in requests.items():
            self.requests.labels(*labels).inc(number)
        unknown: Tallied[tuple[str, str]] = Tallied()
        for one in traces:
            for warning in one.trail.warnings:
                unknown[warning.kind.value, warning.feature or ""] += len(warning.ids or warning.values)
        for labels, number in unknown.items():
            self.unknown.labels(*labels).inc(number)
