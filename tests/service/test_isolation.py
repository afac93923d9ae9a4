"""The service runs on its own folder and `model/contract`, and imports nothing of training."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.server import ROOT, serving
from tests.service.small_bundle import VERSION

BLOCKED = [
    "torch",
    "training",
    "polars",
    "pyarrow",
    "onnx",
    "onnxscript",
    "yaml",
    "typer",
    "rich",
    "tensorboard",
    "redis",
]
RANK_WITHOUT = """
import importlib.abc, json, sys

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in sys.argv[3:]:
            raise ImportError(f"{name} is not for the service")

sys.meta_path.insert(0, Blocked())
from pathlib import Path
import service.cli
from model.contract.request import RankRequest
from service.app import create_app
from service.ranking.pipeline import rank
from service.settings import Settings
app = create_app(Settings(registry=Path(sys.argv[1])))
app.state.live.refresh()
ranking = rank(RankRequest(candidates=["v1", "v2"]), app.state.live.ranker)
print(json.dumps({"ids": ranking.ids, "modules": sorted(sys.modules), "file": service.cli.__file__}))
"""


@pytest.fixture
def cut_down(tmp_path: Path) -> Path:
    """What the container holds of our code."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "service", tmp_path / "code" / "service", ignore=ignored)
    shutil.copytree(ROOT / "model" / "contract", tmp_path / "code" / "model" / "contract", ignore=ignored)
    shutil.copy(ROOT / "model" / "__init__.py", tmp_path / "code" / "model")
    return tmp_path / "code"


def test_it_imports_nothing_of_training(registry: Path, cut_down: Path) -> None:
    command = [sys.executable, "-c", RANK_WITHOUT, str(registry), "--", *BLOCKED]
    ended = subprocess.run(command, cwd=cut_down, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert sorted(told["ids"]) == ["v1", "v2"]
    assert Path(told["file"]).is_relative_to(cut_down)
    roots = {name.split(".")[0] for name in told["modules"]}
    assert not roots & set(BLOCKED)
    assert {name for name in told["modules"] if name.count(".") == 1 and name.startswith("model.")} == {
        "model.contract"
    }


def test_it_serves_with_the_rest_of_the_code_deleted(registry: Path, cut_down: Path) -> None:
    with serving(registry, cwd=cut_down) as server:
        assert server.wait_until_ready().json["version"] == VERSION
        assert server.rank({"candidates": ["v1", "v2"]}).status == 200
