"""Traces: what requests left behind, sent to an OpenTelemetry collector; needs the extra `otel`."""

from collections.abc import Iterator

from model.contract.mistakes import mistake
from service.telemetry.recorder import Taker


def exporter(endpoint: str | None) -> Iterator[Taker]:
    """One taker where there is an endpoint, such as http://collector:4318/v1/traces; none where there is not. Raises
    InputError where the library is missing.
    """
    if endpoint is None:
        return
    try:
        from service.telemetry.spans import Spans
    except ImportError:
        found = "none (pip install 'watchnext[otel]')"
        raise mistake("traces_endpoint", "the OpenTelemetry SDK and its OTLP exporter", found) from None
    yield Spans(endpoint).take
