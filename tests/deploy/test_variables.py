"""No file of deploy/ names a setting that the service does not have."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.settings import ENVIRONMENT_PREFIX, Settings
from tests.deploy.chart import CHOICES, ROOT, render

OF_THE_SERVICE = {f"{ENVIRONMENT_PREFIX}{name.upper()}" for name in Settings.model_fields}


def in_the_dockerfiles() -> set[str]:
    """Those that an image sets: `ENV A=1 \\` and the lines after it."""
    found = set()
    for path in (ROOT / "Dockerfile", *(ROOT / "deploy").glob("*.Dockerfile")):
        found |= set(re.findall(rf"\b({ENVIRONMENT_PREFIX}\w+)=", path.read_text()))
    return found


def in_compose() -> set[str]:
    """Those of containers; what is put into the file itself by `${...}` is the operator's shell's."""
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]
    return {name for one in services.values() for name in one.get("environment", {})}


def in_chart(folder: Path) -> set[str]:
    return {name for values in CHOICES.values() for one in render(values, folder) for name in names_in(one)}


def names_in(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (name for name in part if name.startswith(ENVIRONMENT_PREFIX))
        if str(part.get("name", "")).startswith(ENVIRONMENT_PREFIX):
            yield part["name"]
    for one in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from names_in(one)


@pytest.mark.parametrize("where", ["Dockerfile", "compose", "chart"])
def test_every_variable_is_a_setting(where: str, tmp_path: Path) -> None:
    found = {"Dockerfile": in_the_dockerfiles, "compose": in_compose, "chart": lambda: in_chart(tmp_path)}[where]()
    named = {name for name in found if name.startswith(ENVIRONMENT_PREFIX)}
    assert named, where
    assert named - OF_THE_SERVICE == set()
