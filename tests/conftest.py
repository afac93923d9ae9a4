"""What the whole suite shares: its options, simulated logs, and a small trained and published ranker."""

import os
from pathlib import Path
from typing import Any

import pytest

# Small networks: more threads would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
from hypothesis import settings
from rich.console import Console

from training.config import RunConfig, parse
from training.dataset import open_prepared
from training.evidence.subject import Subject
from training.run import Run, load_trained, train
from training.simulation.logs import write_simulation
from training.simulation.world import SimulationConfig
from training.yaml_lines import load_with_lines

# One commit gives one result, on a slow machine too.
settings.register_profile("watchnext", deadline=None, derandomize=True)
settings.load_profile("watchnext")

ROOT = Path(__file__).parent.parent
KUAIRAND = ROOT.parent / "shared" / "data" / "kuairand_pure"
SMALL_IMPRESSIONS = 24_000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--image", action="store_true", help="build the container image and run it (make image-test)")
    parser.addoption("--soak-requests", type=int, default=1_000_000, help="requests of the endurance test, at most")
    parser.addoption("--soak-minutes", type=float, default=30.0, help="how long it asks, at most")


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of simulated logs, as `watchnext simulate` writes them."""
    folder = tmp_path_factory.mktemp("simulated") / "logs"
    write_simulation(SimulationConfig(num_impressions=SMALL_IMPRESSIONS, seed=7), folder, lambda _: None)
    return folder


@pytest.fixture
def raw_config(logs: Path) -> dict[str, Any]:
    """The shipped config of simulated logs, pointed at `logs` and made small; a fresh copy for each test to change."""
    return small_config(logs)


@pytest.fixture
def config(raw_config: dict[str, Any]) -> RunConfig:
    return parse(raw_config, {}, "config")


def small_config(logs: Path) -> dict[str, Any]:
    raw: dict[str, Any] = load_with_lines((ROOT / "configs" / "simulated.yaml").read_text(), "simulated.yaml")[0]
    raw["data"]["reader"] = {
        "kind": "impressions",
        "path": str(logs / "impressions"),
        "users": str(logs / "users.parquet"),
        "videos": str(logs / "videos.parquet"),
    }
    raw["network"] = {"embedding_dim": 4, "hidden_units": 16, "tower_units": [8]}
    raw["sharing"] = {"kind": "mmoe", "num_experts": 3, "expert_units": [8]}
    raw["training"] |= {"batch_size": 512, "max_epochs": 2, "weight_average": 0.9}
    return raw


@pytest.fixture(scope="session")
def trained(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    """A finished run, and the registry that it was published in."""
    folder = tmp_path_factory.mktemp("trained")
    run = Run.of(parse(small_config(logs), {}, "config"), folder / "runs")
    train(run, folder / "registry", resume=False, console=Console(quiet=True))
    return run, folder / "registry"


@pytest.fixture(scope="session")
def subject(trained: tuple[Run, Path]) -> Subject:
    """What exhibits look at, of that run; not to be changed."""
    run, _ = trained
    dataset = open_prepared(run.config.feature_schema, run.encoded)
    return Subject.of(run, load_trained(run, dataset), dataset)


@pytest.fixture(scope="session")
def small_registry(trained: tuple[Run, Path]) -> Path:
    """A registry with one live version; copy it before changing it."""
    return trained[1]


@pytest.fixture
def kuairand() -> Path:
    if not (KUAIRAND / "log.parquet").is_file():
        pytest.skip(f"KuaiRand-Pure is not at {KUAIRAND}: see docs/results.md for where to get it")
    return KUAIRAND
