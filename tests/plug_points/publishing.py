"""Trains and publishes small rankers: `python -m tests.plug_points.publishing CONFIG FOLDER KIND...`, one a sharing.

A process of its own checks no shapes: what is exported must be the code that ships.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from training.config import parse
from training.run import Run, train

NUM_PROCESSES = 2


def run_of(raw: dict[str, Any], kind: str, folder: Path) -> Run:
    """The run of a kind, which shares its encoded data with all others."""
    run = Run.of(parse(raw | {"name": kind, "sharing": {"kind": kind}}, {}, "config"), folder / "runs")
    data = folder / "data"
    data.mkdir(exist_ok=True)
    run.folder.mkdir(parents=True, exist_ok=True)
    if not (run.folder / "data").exists():
        (run.folder / "data").symlink_to(data)
    return run


def registry_of(kind: str, folder: Path) -> Path:
    return folder / "registries" / kind


def publish_apart(raw: dict[str, Any], kinds: Sequence[str], folder: Path) -> None:
    root, config = Path(__file__).parents[2], folder / "config.yaml"
    config.write_text(yaml.safe_dump(raw))
    command = [sys.executable, "-m", "tests.plug_points.publishing", str(config), str(folder)]
    environment = os.environ | {"PYTHONPATH": str(root)}
    running = [
        subprocess.Popen([*command, *kinds[at::NUM_PROCESSES]], cwd=root, env=environment, stderr=subprocess.PIPE)
        for at in range(NUM_PROCESSES)
    ]
    for one in running:
        _, errors = one.communicate()
        assert one.returncode == 0, errors.decode()


if __name__ == "__main__":
    path, folder, *kinds = sys.argv[1:]
    for kind in kinds:
        run = run_of(yaml.safe_load(Path(path).read_text()), kind, Path(folder))
        train(run, registry_of(kind, Path(folder)), resume=False, console=Console(quiet=True))
