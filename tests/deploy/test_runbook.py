"""The runbook has a section for every alert, and leads nowhere that is not there."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RUNBOOK = ROOT / "docs" / "operations.md"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"


def anchors(path: Path) -> set[str]:
    """Of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one).strip().lower().replace(" ", "-") for one in headings}


def test_every_alert_leads_to_its_section() -> None:
    rules = [rule for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]
    assert rules
    for rule in rules:
        file, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert ROOT / file == RUNBOOK
        # HighErrorRate -> high-error-rate
        assert anchor == re.sub(r"(?<!^)(?=[A-Z])", "-", rule["alert"]).lower()
        assert anchor in anchors(RUNBOOK)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", RUNBOOK.read_text(encoding="utf-8")))))
def test_every_link_has_its_target(link: str) -> None:
    file, _, anchor = link.partition("#")
    path = RUNBOOK.parent / file if file else RUNBOOK
    assert path.is_file()
    assert not anchor or anchor in anchors(path)
