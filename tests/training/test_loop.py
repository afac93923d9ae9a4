"""A run is a function of its config and data: killed at any moment and resumed, it ends in the same weights."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
import yaml
from rich.console import Console

from model.contract.mistakes import InputError
from training.config import parse
from training.dataset import Dataset
from training.loop import Checkpointing, Trainer
from training.run import Run, train
from training.watching import TerminalWatcher

ROOT = Path(__file__).parent.parent.parent
NUM_KILLS = 10


class Interrupting:
    """A watcher that pulls the plug after some steps."""

    def __init__(self, after: int | None) -> None:
        self.left = after

    def step(self, progress: Any, num_steps: int, losses: dict[str, float], optimised: float) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt

    def epoch(self, record: dict[str, Any], is_best: bool) -> None: ...


def dataset_of(run: Run) -> Dataset:
    with TerminalWatcher(Console(quiet=True), run.curves) as watcher:
        return run.dataset(watcher)


def fit(
    raw: dict[str, Any], folder: Path, dataset: Dataset, resume: bool = False, after: int | None = None
) -> dict[str, Any]:
    config = parse(raw, {}, "config")
    saving = Checkpointing(folder / "checkpoint.pt", "identity", resume)
    return Trainer(config, dataset, saving, Interrupting(after)).run().state_dict()


def assert_equal(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> None:
    assert left.keys() == right.keys()
    for name, tensor in left.items():
        assert torch.equal(tensor, right[name]), name


@pytest.fixture
def quick(raw_config: dict[str, Any], trained: tuple[Run, Path]) -> tuple[dict[str, Any], Dataset]:
    raw_config["training"] |= {"checkpoint_steps": 10}
    return raw_config, dataset_of(trained[0])


def test_a_seed_decides_everything(quick: tuple[dict[str, Any], Dataset], tmp_path: Path) -> None:
    raw, dataset = quick
    first, again = fit(raw, tmp_path / "a", dataset), fit(raw, tmp_path / "b", dataset)
    assert_equal(first, again)
    other = fit(raw | {"training": raw["training"] | {"seed": 1}}, tmp_path / "c", dataset)
    assert not all(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("after", [0, 3, 10, 47])
def test_interrupted_at_any_step_it_resumes_to_the_same_weights(
    quick: tuple[dict[str, Any], Dataset], tmp_path: Path, after: int
) -> None:
    raw, dataset = quick
    unbroken = fit(raw, tmp_path / "a", dataset)
    with pytest.raises(KeyboardInterrupt):
        fit(raw, tmp_path / "b", dataset, after=after)
    assert_equal(unbroken, fit(raw, tmp_path / "b", dataset, resume=True))


def test_more_epochs_go_on_from_a_finished_run(quick: tuple[dict[str, Any], Dataset], tmp_path: Path) -> None:
    raw, dataset = quick
    longer = raw | {"training": raw["training"] | {"max_epochs": 3}}
    unbroken = fit(longer, tmp_path / "a", dataset)
    fit(raw, tmp_path / "b", dataset)
    assert_equal(unbroken, fit(longer, tmp_path / "b", dataset, resume=True))


def test_a_foreign_or_damaged_checkpoint_is_refused(raw_config: dict[str, Any], tmp_path: Path) -> None:
    run = Run.of(parse(raw_config, {}, "config"), tmp_path)
    quiet = Console(quiet=True)
    train(run, None, resume=False, console=quiet)
    other = raw_config | {"training": raw_config["training"] | {"learning_rate": 0.5}}
    with pytest.raises(InputError, match="expected a checkpoint of this config and these data, found one of others"):
        train(Run.of(parse(other, {}, "config"), tmp_path), None, resume=True, console=quiet)
    path = run.folder / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match="expected a checkpoint, found"):
        train(run, None, resume=True, console=quiet)


def test_a_diverging_run_names_the_step_and_the_task(quick: tuple[dict[str, Any], Dataset], tmp_path: Path) -> None:
    raw, dataset = quick
    raw["training"] |= {"learning_rate": 1e30}
    with pytest.raises(InputError, match=r"epoch 1, step \d+, task `\w+`: expected a finite loss"):
        fit(raw, tmp_path, dataset)


def test_killed_ten_times_at_random_moments_it_ends_in_identical_weights(
    raw_config: dict[str, Any], tmp_path: Path
) -> None:
    """Real processes and SIGKILL, while it prepares data, steps, evaluates or writes a checkpoint."""
    raw_config["training"] |= {"checkpoint_steps": 3, "batch_size": 128, "max_epochs": 8, "early_stop": {"patience": 9}}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(raw_config))

    def start(runs: str, *more: str) -> subprocess.Popen[bytes]:
        options = [str(tmp_path / "run.yaml"), "--runs", str(tmp_path / runs), *more]
        with (tmp_path / f"{runs}.log").open("ab") as log:
            line = [sys.executable, "-m", "training.cli", "train", *options]
            return subprocess.Popen(line, stdout=log, stderr=log, cwd=ROOT)

    assert start("unbroken").wait(timeout=300) == 0
    folders = {runs: tmp_path / runs / raw_config["name"] for runs in ("unbroken", "broken")}
    moments = random.Random(0)
    for kill in range(NUM_KILLS):
        # The first one falls into the preparation of the data, the others into what follows a first sign of progress.
        sign = folders["broken"] / ("curves" if kill == 0 else "checkpoint.pt")
        before = changed(sign)
        process = start("broken", "--resume")
        deadline = time.monotonic() + 120
        while changed(sign) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(moments.random() * 0.3)
        assert process.poll() is None, (tmp_path / "broken.log").read_text()
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert start("broken", "--resume").wait(timeout=300) == 0
    ends = [torch.load(folder / "ranker.pt", weights_only=True)["ranker"] for folder in folders.values()]
    assert_equal(*ends)


def changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def test_a_table_of_nothing_but_its_head_is_refused(tmp_path: Path, raw_config: dict[str, Any]) -> None:
    logs = pl.read_parquet(Path(raw_config["data"]["reader"]["path"]) / "*.parquet").head(0)
    logs.write_parquet(tmp_path / "empty.parquet")
    raw_config["data"]["reader"]["path"] = str(tmp_path / "empty.parquet")
    with pytest.raises(InputError, match="expected rows in the train split, found none"):
        train(Run.of(parse(raw_config, {}, "config"), tmp_path), None, resume=False, console=Console(quiet=True))
