"""Traces: what requests left behind, sent to an OpenTelemetry collector; needs the extra `otel`."""

import re
from collections.abc import Iterator

from model.contract.mistakes import mistake, quote
from service.telemetry.recorder import Taker

ADDRESS = re.compile(r"https?://[^/\s]")


def exporter(endpoint: str | None) -> Iterator[Taker]:
    """One taker where there is an endpoint, such as http://collector:4318/v1/traces; none where there is not."""
    if endpoint is not None:
        check(endpoint)
        from service.telemetry.spans import Spans

        yield Spans(endpoint).take


def check(endpoint: str | None) -> None:
    """Raises InputError where traces are wanted, and the address is none or the library is missing."""
    if endpoint is not None:
        if not ADDRESS.match(endpoint):
            raise mistake("--traces-endpoint", "an address like http://HOST:4318/v1/traces", quote(endpoint))
        try:
            import service.telemetry.spans  # noqa: F401 (loaded where it is wanted, and only there)
        except ImportError:
            found = "none (pip install 'watchnext[otel]')"
            raise mistake("--traces-endpoint", "the OpenTelemetry SDK and its OTLP exporter", found) from None
