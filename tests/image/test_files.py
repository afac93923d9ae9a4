"""What can be known of the image without building it."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BUILT_FROM = {"pyproject.toml", "constraints.txt"}
COMPILED_FROM = {"model/contract/kernels.c"}
SHIPPED = {"model/__init__.py", "model/contract", "service"}


def lines_of(name: str) -> list[str]:
    joined = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


@pytest.fixture(scope="module")
def stages() -> list[list[list[str]]]:
    """The Dockerfile's stages, each a list of instructions, each a list of words."""
    found: list[list[list[str]]] = []
    for words in (line.split() for line in lines_of("Dockerfile")):
        if words[0] == "FROM":
            found.append([])
        if found:
            found[-1].append(words)
    return found


@pytest.fixture(scope="module")
def ranking() -> dict[str, Any]:
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return dict(services["ranking"])


def copied(stage: list[list[str]]) -> set[str]:
    return {source for words in stage if words[0] == "COPY" and "--from" not in words[1] for source in words[1:-1]}


def test_only_the_service_and_the_contract_are_shipped(stages: list[list[list[str]]]) -> None:
    builder, final = stages
    assert copied(builder) == BUILT_FROM | COMPILED_FROM
    assert copied(final) == SHIPPED
    assert not [words for stage in stages for words in stage if words[0] == "ADD"]
    assert not [words for words in final if words[0] == "RUN"]


def test_the_build_sees_what_it_copies_and_nothing_else() -> None:
    first, *others = lines_of(".dockerignore")
    assert first == "*"
    assert {line[1:] for line in others if line.startswith("!")} == BUILT_FROM | SHIPPED
    assert all((ROOT / path).exists() for path in BUILT_FROM | SHIPPED)


def test_the_image_is_not_root_and_says_when_it_is_ready(stages: list[list[list[str]]]) -> None:
    final = {words[0]: " ".join(words[1:]) for words in stages[-1]}
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", final["USER"])
    assert "/readyz" in final["HEALTHCHECK"]
    assert final["ENTRYPOINT"].startswith("[")  # no shell between the engine's signals and the service


def test_the_dockerfile_names_no_machine_and_no_index() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "ARG BASE_IMAGE=python:3.11-slim-bookworm" in text
    assert not re.search(r"https?://(?!127\.0\.0\.1)|index-url|find-links|pip\.conf", text)


def test_no_dependency_of_the_service_is_written_in_the_dockerfile() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = [re.split(r"[<>=;\[ ]", one)[0] for one in declared]
    assert not [name for name in names if re.search(rf"\b{name}\b", text)]
    assert "torch" not in names


def test_compose_hardens_the_container(ranking: dict[str, Any]) -> None:
    assert ranking["read_only"] is True
    assert ranking["cap_drop"] == ["ALL"]
    assert ranking["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "user", "pid", "network_mode", "healthcheck"} & ranking.keys()
    assert ranking["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert ranking["restart"] == "unless-stopped"


def test_compose_gives_a_registry_to_read_and_a_port_of_this_machine(
    ranking: dict[str, Any], stages: list[list[list[str]]]
) -> None:
    assert all(one["read_only"] is True for one in ranking["volumes"])
    settings = dict(word.split("=", 1) for words in stages[-1] if words[0] == "ENV" for word in words[1:])
    assert settings["WATCHNEXT_REGISTRY"] in [one["target"] for one in ranking["volumes"]]
    [port] = ranking["ports"]
    assert port.endswith(":" + settings["WATCHNEXT_PORT"])
    assert ":-127.0.0.1:" in port
    assert ["EXPOSE", settings["WATCHNEXT_PORT"]] in stages[-1]
