"""Spans: a real server sends those of a request to a collector, below the caller's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from model.contract.mistakes import InputError
from service.ranking.trail import Stage
from service.telemetry import traces
from tests.service.server import serving
from tests.service.small_bundle import VERSION

TRACE_ID, PARENT_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@contextmanager
def collector() -> Iterator[tuple[str, list[Any]]]:
    """An OTLP endpoint, and the spans that came."""
    spans: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                spans.extend(span for scope in resource.scope_spans for span in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", spans
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_request_and_its_stages(registry: Path) -> None:
    with collector() as (endpoint, spans), serving(registry, "--traces-endpoint", endpoint) as server:
        server.wait_until_ready()
        parent = {"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-01", "content-type": "application/json"}
        server.ask("POST", "/v1/rank", b'{"request_id": "r-5", "candidates": ["v1", "v2"]}', parent)
        server.ask("GET", "/healthz", headers={"traceparent": "nonsense"})
        server.process.terminate()
        server.process.wait(30)  # what it has not sent yet it sends before it ends
        own = [span for span in spans if span.trace_id.hex() == TRACE_ID]
    [whole] = [span for span in own if span.name == "POST /v1/rank"]
    assert whole.parent_span_id.hex() == PARENT_ID
    told = {one.key: one.value.string_value or one.value.int_value for one in whole.attributes}
    assert (told["watchnext.request_id"], told["watchnext.version"]) == ("r-5", VERSION)
    assert (told["http.route"], told["http.response.status_code"], told["watchnext.candidates"]) == ("/v1/rank", 200, 2)
    stages = [span for span in own if span is not whole]
    assert [span.name for span in sorted(stages, key=lambda one: one.end_time_unix_nano)] == list(Stage)
    assert all(span.parent_span_id == whole.span_id for span in stages)
    assert all(whole.start_time_unix_nano <= span.start_time_unix_nano for span in stages)
    assert all(span.end_time_unix_nano <= whole.end_time_unix_nano for span in stages)
    [probe] = [span for span in spans if span.name == "GET /healthz"]
    assert not probe.parent_span_id


def test_a_missing_library_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "service.telemetry.spans", None)
    with pytest.raises(InputError, match=r"--traces-endpoint: expected the OpenTelemetry SDK .*watchnext\[otel\]"):
        traces.check("http://collector:4318/v1/traces")
    assert list(traces.exporter(None)) == []
