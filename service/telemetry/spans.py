"""Spans: a trace as OpenTelemetry has it, one span for the request and one a stage; needs the extra `otel`."""

import time
from collections.abc import Sequence

from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service.telemetry.trace import Trace

WATCHNEXT = "watchnext"
FAILED = 500


class Spans:
    """Made afterwards, from the moments on the trail: no request waits for them. A caller's W3C `traceparent` is their
    parent. The SDK's own OTEL_ variables (service name, resource attributes, sampler, headers, batches) apply.
    """

    def __init__(self, endpoint: str) -> None:
        resource = Resource({SERVICE_NAME: WATCHNEXT}).merge(OTELResourceDetector().detect())
        provider = TracerProvider(resource=resource)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint)))
        self._tracer = provider.get_tracer(WATCHNEXT)

    def take(self, traces: Sequence[Trace]) -> None:
        to_epoch_s = time.time() - time.perf_counter()
        for trace in traces:
            ended = trace.trail.began + trace.seconds
            whole = self._start(trace, _ns(trace.trail.began, to_epoch_s))
            began = trace.trail.began
            for stage, end in trace.trail.ends.items():
                inside = otel.set_span_in_context(whole)
                self._tracer.start_span(stage, inside, start_time=_ns(began, to_epoch_s)).end(_ns(end, to_epoch_s))
                began = end
            whole.end(_ns(ended, to_epoch_s))

    def _start(self, trace: Trace, began_ns: int) -> otel.Span:
        facts = {
            "http.request.method": trace.method,
            "http.route": trace.route,
            "http.response.status_code": trace.status,
            "watchnext.request_id": trace.request_id,
            "watchnext.candidates": trace.num_candidates,
            "watchnext.version": trace.version,
        }
        known = {name: value for name, value in facts.items() if value is not None}
        name = f"{trace.method} {trace.route or ''}".strip()
        span = self._tracer.start_span(name, _parent(trace), otel.SpanKind.SERVER, known, start_time=began_ns)
        if trace.status is None or trace.status >= FAILED:
            span.set_status(otel.StatusCode.ERROR)
        return span


def _parent(trace: Trace) -> Context:
    """An empty context, and so no parent, where the header is missing or malformed."""
    return TraceContextTextMapPropagator().extract({"traceparent": trace.traceparent or ""}, Context())


def _ns(moment: float, to_epoch_s: float) -> int:
    return int((moment + to_epoch_s) * 1e9)
