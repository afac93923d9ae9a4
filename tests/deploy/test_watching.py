"""The dashboard and the alerts use metrics that a service under some load tells, and no others."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from service.telemetry.counters import Counters
from tests.service.server import serving
from tests.service.small_bundle import publish

DEPLOY = Path(__file__).parents[2] / "deploy"
OF_PROMETHEUS = {"up": set[str]()}
OF_THE_SCRAPE = {"instance", "job"}
WORDS = {"by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "bool", "offset"}


def metrics_of(expression: str) -> set[str]:
    """The names of an expression in PromQL that are neither functions, nor labels, nor words of the language."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", bare)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", bare)
    return set(re.findall(r"\b[a-zA-Z_:][a-zA-Z0-9_:]*\b(?!\s*\()", bare)) - WORDS


def expressions() -> Iterator[tuple[str, str]]:
    def of_dashboard(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            yield from (value for key, value in part.items() if key == "expr")
            for value in part.values():
                yield from of_dashboard(value)
        elif isinstance(part, list):
            for value in part:
                yield from of_dashboard(value)

    dashboard = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
    yield from (("dashboard", one) for one in of_dashboard(dashboard))
    yield from ((rule["alert"], rule["expr"]) for rule in rules())


def rules() -> list[Any]:
    found = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text())
    return [rule for group in found["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The metrics, with their labels, of a real server after some load, and what is only told once it has happened."""
    registry = tmp_path_factory.mktemp("watching") / "registry"
    publish(registry)
    with serving(registry) as server:
        server.wait_until_ready()
        for at in range(40):
            server.rank({"user": {"id": f"u{at}"}, "candidates": [f"v{one}" for one in range(40)]})
        body = server.ask("GET", "/metrics").body.decode()
    seldom = CollectorRegistry()
    Counters(seldom).shadow_disagreement.labels("click").observe(0.1)
    both = body + generate_latest(seldom).decode()
    samples = [one for family in text_string_to_metric_families(both) for one in family.samples]
    return {one.name: set(one.labels) for one in samples} | OF_PROMETHEUS


def test_metrics_are_found_in_expressions() -> None:
    assert metrics_of('sum by (le) (rate(a_bucket{route="b"}[5m])) / on(x) c > 0.5 and time() - d') == {
        "a_bucket",
        "c",
        "d",
    }


def test_every_metric_of_dashboard_and_alerts_exists(told: dict[str, set[str]]) -> None:
    wrong = {(where, name) for where, one in expressions() for name in metrics_of(one) - told.keys()}
    assert not wrong
    assert len(list(expressions())) > 30


def test_labels_that_are_grouped_or_matched_exist(told: dict[str, set[str]]) -> None:
    for where, one in expressions():
        grouped = re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", one)
        matched = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", one)
        used = {label.strip() for group in grouped for label in group.split(",")} | set(matched)
        known = set[str]().union(*(told[name] for name in metrics_of(one)))
        assert used <= known | OF_THE_SCRAPE, where


def test_every_alert_says_what_and_where_to_read_on() -> None:
    for rule in rules():
        anchor = re.sub(r"(?<!^)(?=[A-Z])", "-", rule["alert"]).lower()
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{anchor}"
        assert rule["annotations"]["summary"] and rule["labels"]["severity"] in {"page", "ticket"}
    assert len({rule["alert"] for rule in rules()}) == len(rules())


def test_prometheus_reads_the_alerts_that_are_there() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yaml").read_text())
    assert all((DEPLOY / "prometheus" / name).is_file() for name in config["rule_files"])
    assert config["scrape_configs"][0]["job_name"] == "watchnext"
