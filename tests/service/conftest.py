"""A small published bundle, and the ways to reach it: a Ranker, an app in this process, a server process."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from service.app import create_app
from service.ranking.ranker import Ranker
from service.settings import Settings
from tests.service.server import Server, serving
from tests.service.small_bundle import VERSION, open_ranker, publish


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read only; for a test that changes it there is `own_registry`."""
    folder = tmp_path_factory.mktemp("service") / "registry"
    publish(folder)
    return folder


@pytest.fixture
def own_registry(registry: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(registry, tmp_path / "registry"))


@pytest.fixture(scope="session")
def ranker(registry: Path) -> Ranker:
    return open_ranker(registry / "versions" / VERSION)


@pytest.fixture(scope="session")
def app(registry: Path) -> FastAPI:
    """Ready, without its thread."""
    app = create_app(Settings(registry=registry, max_candidates=50, max_body_bytes=20_000))
    app.state.live.refresh()
    return app


@pytest.fixture(scope="session")
def server(registry: Path) -> Iterator[Server]:
    with serving(registry) as server:
        server.wait_until_ready()
        yield server
