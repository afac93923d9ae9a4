"""The demo: the README's first command, at a small size."""

import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from model.contract.mistakes import InputError
from training.demo import run_demo

ROOT = Path(__file__).parents[2]


def test_the_demo_ends_with_a_ranking_and_every_tasks_prediction(tmp_path: Path) -> None:
    options = ["demo", "--out", str(tmp_path / "demo"), "--impressions", "20000"]
    line = [sys.executable, "-m", "training.cli", *options]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    table = done.stdout[done.stdout.index("policy balanced, version") :]
    for head in ("video", "score", "click", "watch_time (s)", "like", "rating (stars)"):
        assert head in table
    assert (tmp_path / "demo" / "runs" / "simulated" / "report" / "index.html").is_file()
    places = [row.split("│")[1].strip() for row in table.splitlines() if row.startswith("│")]
    assert places == [str(place) for place in range(1, 11)]


def test_the_demo_removes_nothing_that_it_has_not_made(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match=r"expected an empty folder, .* found `thesis.txt` in it"):
        run_demo(tmp_path, 10_000, Console(quiet=True))
    assert {one.name for one in tmp_path.iterdir()} == {"logs", "thesis.txt"}
