"""What can be known of the trainer's image without building it."""

import ast
import re
import shlex
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "training.Dockerfile"
SHIPPED = {"model", "training", "configs"}
BUILT_FROM = {"pyproject.toml", "constraints.txt"}


@pytest.fixture(scope="module")
def stages() -> list[list[str]]:
    """The Dockerfile's stages, each a list of instructions on one line each."""
    joined = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    starts = [at for at, line in enumerate(lines) if line.startswith("FROM ")]
    return [lines[start:end] for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]


def copied(stage: list[str]) -> set[str]:
    words = [line.split() for line in stage if line.startswith("COPY ") and "--from" not in line]
    return {source for one in words for source in one[1:-1]}


def test_the_build_sees_what_it_copies_and_nothing_else(stages: list[list[str]]) -> None:
    builder, final = stages
    assert (copied(builder), copied(final)) == (BUILT_FROM, SHIPPED)
    ignore = Path(f"{DOCKERFILE}.dockerignore").read_text(encoding="utf-8")
    first, *others = [line for line in ignore.splitlines() if not line.startswith("#")]
    assert first == "*"
    assert {line[1:] for line in others if line.startswith("!")} == BUILT_FROM | SHIPPED


def test_it_is_not_root_and_runs_the_command(stages: list[list[str]]) -> None:
    final = dict(line.split(" ", 1) for line in stages[-1])
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", final["USER"])
    assert final["ENTRYPOINT"] == '["python", "-m", "training.cli"]'
    assert not [line for line in stages[-1] if line.startswith("RUN ")]
    assert not re.search(r"https?://|index-url", DOCKERFILE.read_text(encoding="utf-8"))


def installed(stages: list[list[str]], extras: str) -> set[str]:
    """The distributions that the build asks pip for."""
    [run] = [line for line in stages[0] if line.startswith("RUN ")]
    script = shlex.split(run.removeprefix("RUN ").split(" > requirements.txt")[0].replace("${EXTRAS}", extras))
    done = subprocess.run([sys.executable, *script[1:]], cwd=ROOT, capture_output=True, text=True, check=True)
    return {re.split(r"[<>=;\[ ]", line)[0] for line in done.stdout.splitlines()}


def imported() -> set[str]:
    """The distributions that the shipped code imports, wherever it does."""
    modules = set()
    for path in (path for folder in ("model", "training") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {one.name.partition(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                modules.add((node.module or "").partition(".")[0])
    known = packages_distributions()
    ours = {"model", "training"} | sys.stdlib_module_names
    return {known[one][0].lower() for one in modules - ours if one in known}


def test_it_installs_what_the_code_imports(stages: list[list[str]]) -> None:
    extras = "balancing bfloat16 redis tune"
    names = {one.lower() for one in installed(stages, extras)}
    # Of our own extras nothing but what is in them: no index has us.
    assert "watchnext" not in names
    assert imported() - names == {"pydantic_core", "sqlalchemy", "fsspec"}  # of pydantic, of optuna, and of s3fs
