"""What /metrics tells, by metric and labels."""

from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from tests.service.server import Server, wait_for

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(body: bytes) -> Series:
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(body.decode())
        for one in family.samples
    }


def value(series: Series, metric: str, /, **labels: str) -> float | None:
    return series.get((f"watchnext_{metric}", frozenset(labels.items())))


def scrape(server: Server, enough: Callable[[Series], bool]) -> Series:
    """Other workers tell theirs within a second."""
    return parsed(wait_for(lambda: server.ask("GET", "/metrics"), lambda answer: enough(parsed(answer.body))).body)
