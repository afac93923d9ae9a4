"""Counters: what happened how often, in prometheus-client's own files, which all workers share."""

from collections import Counter as Tallied
from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Summary

from model.contract.answer import WarningKind
from model.contract.registry.channels import Channel
from service.registry.live import LiveBundle
from service.telemetry.trace import Trace

NO_ROUTE, NO_ANSWER = "none", "none"  # nothing is at the path; the client had left

OVERLOADS = {"overloaded": "queue", "deadline-passed": "deadline"}  # by the kind of problem
RATE_LIMITED = "too-many-requests"


class Counters:
    """Counting once costs some microseconds: what happens on the way of a request is counted by `take`, in bulk."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, told: str, *labels: str) -> Counter:
            return Counter(f"watchnext_{name}", told, labels, registry=registry)

        self.requests = counter("requests", "Requests by route and status.", "route", "status")
        self.warnings = counter(
            "warnings", "What rankings were warned of, id by id and value by value.", "kind", "feature"
        )
        self.versions_loaded = counter("versions_loaded", "Versions that a worker took into service.")
        self.versions_refused = counter("versions_refused", "Versions that a worker refused.", "channel")
        self.overloads = counter("overloads", "Requests refused for overload.", "reason")
        self.rate_limited = counter("rate_limited", "Requests refused because their key had no allowance left.")
        self.shadow_dropped = counter("shadow_dropped", "Requests that the shadow version was too slow to score.")
        self.shadow_disagreement = Summary(
            "watchnext_shadow_disagreement",
            "Mean absolute difference of a request's predictions between shadow and live, by task.",
            ["task"],
            registry=registry,
        )
        self._followed: dict[Counter, int] = {}
        # Zeros: of a series that begins with 1 Prometheus would see no increase.
        for labelled, values in ((self.versions_refused, Channel), (self.overloads, OVERLOADS.values())):
            for one in values:
                labelled.labels(one)
        for kind in WarningKind:
            if kind is not WarningKind.UNKNOWN_CATEGORY:
                self.warnings.labels(kind.value, "")

    def take(self, traces: Sequence[Trace]) -> None:
        requests = Tallied((one.route or NO_ROUTE, str(one.status or NO_ANSWER)) for one in traces)
        for labels, number in requests.items():
            self.requests.labels(*labels).inc(number)
        problems = Tallied(one.problem for one in traces)
        for problem, reason in OVERLOADS.items():
            self.overloads.labels(reason).inc(problems[problem])
        self.rate_limited.inc(problems[RATE_LIMITED])
        warnings: Tallied[tuple[str, str]] = Tallied()
        for one in traces:
            for warning in one.trail.warnings:
                warnings[warning.kind.value, warning.feature or ""] += max(1, len(warning.ids or warning.values))
        for labels, number in warnings.items():
            self.warnings.labels(*labels).inc(number)

    def disagreed(self, difference: Mapping[str, float]) -> None:
        """A request's mean difference between shadow and live, by task."""
        for task, value in difference.items():
            self.shadow_disagreement.labels(task).observe(value)

    def follow(self, live: LiveBundle) -> None:
        """What has happened to versions since the last time."""
        now = {
            self.versions_loaded: live.num_loaded,
            self.shadow_dropped: live.shadow.num_dropped,
            **{self.versions_refused.labels(channel): live.num_refused[channel] for channel in Channel},
        }
        for counter, number in now.items():
            counter.inc(number - self._followed.get(counter, 0))
        self._followed = now
