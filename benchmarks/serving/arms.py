"""Arms: how each service is started."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from benchmarks.serving.published import Published
from model.contract.execution import why_not
from model.contract.serving import Precision

FOLDER, WORKERS = "WATCHNEXT_BENCHMARK_FOLDER", "WATCHNEXT_BENCHMARK_WORKERS"
MOST_CANDIDATES = 5_000
LARGEST_BODY = 2**24


@dataclass(frozen=True, slots=True)
class Arm:
    """`command` has the port and the number of workers; `headers` are sent with what is asked; `folder` is where it is
    started, another checkout for instance.
    """

    name: str
    command: Callable[[Published, int, int], Sequence[str]]
    ready_path: str = "/readyz"
    headers: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None

    def variables(self, published: Published, workers: int) -> Mapping[str, str]:
        return {FOLDER: str(published.folder), WORKERS: str(workers)}


def _watchnext(published: Published, port: int, workers: int) -> Sequence[str]:
    return serve(published.registry, port, workers)


def _reduced(published: Published, port: int, workers: int) -> Sequence[str]:
    return serve(published.reduced, port, workers)


def serve(registry: Path, port: int, workers: int, log_level: str = "warning") -> Sequence[str]:
    limits = ["--max-candidates", str(MOST_CANDIDATES), "--max-body-bytes", str(LARGEST_BODY)]
    where = ["--registry", str(registry), "--port", str(port), "--workers", str(workers)]
    return [sys.executable, "-m", "service.cli", *where, *limits, "--log-level", log_level]


def _plain(published: Published, port: int, workers: int) -> Sequence[str]:  # noqa: ARG001
    options = ["--port", str(port), "--workers", str(workers), "--log-level", "warning"]
    return [sys.executable, "-m", "uvicorn", "--factory", "benchmarks.serving.plain:app", *options]


def _litserve(published: Published, port: int, workers: int) -> Sequence[str]:  # noqa: ARG001
    return [sys.executable, "-m", "benchmarks.serving.lit", str(port), str(workers)]


WATCHNEXT, REDUCED, PLAIN = Arm("watchnext", _watchnext), Arm("reduced", _reduced), Arm("plain", _plain)
LITSERVE = Arm("litserve", _litserve, "/health")


def bentoml(python: str) -> Arm:
    """With the interpreter of its own environment, whose versions differ from ours."""

    def command(published: Published, port: int, workers: int) -> Sequence[str]:  # noqa: ARG001
        return [python, "-m", "bentoml", "serve", "benchmarks.serving.bento:Ranker", "--port", str(port)]

    return Arm("bentoml", command)


def arms(bentoml_python: str | None) -> list[Arm]:
    """Those that can be had here; WatchNext first."""
    found = [WATCHNEXT, *([] if why_not(Precision.BFLOAT16) else [REDUCED]), PLAIN]
    found += [LITSERVE] if find_spec("litserve") else []
    python = bentoml_python or (sys.executable if find_spec("bentoml") else None)
    return found + ([bentoml(python)] if python else [])
