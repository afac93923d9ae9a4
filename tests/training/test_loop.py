"""A run is a function of its config and data: killed at any moment and resumed, it ends in the same weights."""

import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl
import pytest
import torch
import yaml
from numpy.typing import NDArray
from rich.console import Console

from model.contract.mistakes import InputError
from tests.model.builders import kinds
from training.balancing import AnyBalancing
from training.balancing.jacobian import AggregatorName, JacobianConfig
from training.batches import Batches
from training.config import parse
from training.dataset import Dataset, SplitData
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


def small(dataset: Dataset, num_rows: int) -> Dataset:
    """Of each split the first rows."""

    def first(split: SplitData) -> SplitData:
        arrays = {name: array[:num_rows] for name, array in split.arrays.items()}
        others = (split.values, split.observed, split.users, split.groups, split.rows)
        return SplitData(split.name, arrays, *(one[:num_rows] for one in others))

    return replace(dataset, splits={name: first(split) for name, split in dataset.splits.items()})


BALANCINGS = [
    *({"kind": one.model_fields["kind"].default} for one in kinds(AnyBalancing) if one is not JacobianConfig),
    *({"kind": "jacobian", "aggregator": name} for name in get_args(AggregatorName)),
]


@pytest.mark.parametrize("balancing", BALANCINGS, ids=lambda one: one.get("aggregator", one["kind"]))
def test_with_any_balancer_a_resumed_run_ends_as_an_unbroken_one(
    quick: tuple[dict[str, Any], Dataset], tmp_path: Path, balancing: dict[str, str]
) -> None:
    raw, dataset = quick
    torch.use_deterministic_algorithms(True)
    raw["training"] |= {"batch_size": 256, "max_epochs": 3, "checkpoint_steps": 2}
    raw |= {"balancing": balancing}
    dataset = small(dataset, 1024)
    unbroken = fit(raw, tmp_path / "a", dataset)
    with pytest.raises(KeyboardInterrupt):
        fit(raw, tmp_path / "b", dataset, after=9)
    assert_equal(unbroken, fit(raw, tmp_path / "b", dataset, resume=True))


def test_the_precision_that_was_measured_is_kept_when_a_run_goes_on(
    quick: tuple[dict[str, Any], Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """bfloat16 is not float32, and what was faster when the run began may not be when it goes on."""
    raw, dataset = quick
    ends = {}
    for precision in ("float32", "bfloat16"):
        raw["training"] |= {"precision": precision}
        ends[precision] = fit(raw, tmp_path / precision, dataset)
    assert any(not torch.equal(one, ends["float32"][name]) for name, one in ends["bfloat16"].items())
    raw["training"] |= {"precision": "auto"}
    with monkeypatch.context() as measured:
        measured.setattr("training.loop.faster_precision", lambda attempt: attempt("float32") or "bfloat16")
        with pytest.raises(KeyboardInterrupt):
            fit(raw, tmp_path / "auto", dataset, after=13)
    monkeypatch.setattr("training.loop.faster_precision", lambda _: pytest.fail("measured again"))
    assert_equal(ends["bfloat16"], fit(raw, tmp_path / "auto", dataset, resume=True))


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


def test_the_record_of_an_epoch_has_the_unweighted_losses_beside_what_was_optimised(
    quick: tuple[dict[str, Any], Dataset], tmp_path: Path
) -> None:
    raw, dataset = quick
    trainer = Trainer(
        parse(raw, {}, "config"), dataset, Checkpointing(tmp_path / "a.pt", "", False), Interrupting(None)
    )
    trainer.run()
    for record in trainer.progress.history:
        assert record["weights"] == {"click": 1.0, "watch_time": 1.0, "like": 1.0, "rating": pytest.approx(0.1)}
        assert record["optimised"] == pytest.approx(
            sum(record["weights"][name] * loss for name, loss in record["losses"].items())
        )


def test_a_diverging_run_names_the_step_and_the_task(quick: tuple[dict[str, Any], Dataset], tmp_path: Path) -> None:
    raw, dataset = quick
    raw["training"] |= {"learning_rate": 1e9, "checkpoint_steps": 1}
    with pytest.raises(InputError, match=r"^training, epoch 1, step 2, task `click`: expected a finite loss .* found "):
        fit(raw, tmp_path, dataset)
    # After one such step the weights were numbers still, and good for nothing.
    assert list(tmp_path.iterdir()) == []


def poisoned(dataset: Dataset, split: str, numbers: NDArray[np.int64], value: float) -> Dataset:
    """With a value that no encoder lets pass, in these rows of the table."""
    data = dataset.splits[split]
    broken = np.isin(data.rows, numbers)[:, None]
    ages = np.where(broken, np.float32(value), data.arrays["age_days"])
    return replace(dataset, splits={**dataset.splits, split: replace(data, arrays={**data.arrays, "age_days": ages})})


@pytest.mark.parametrize(("value", "what"), [(np.nan, "loss"), (3e19, "gradient")])
def test_a_run_that_met_broken_rows_names_them_and_goes_on_from_before(
    quick: tuple[dict[str, Any], Dataset], tmp_path: Path, value: float, what: str
) -> None:
    raw, dataset = quick
    config = parse(raw, {}, "config")
    batches = Batches(dataset.splits["train"], config.tasks, dataset.scales, config.training)
    [victim] = islice(batches.of_epoch(1, first=12), 1)
    fit(raw | {"training": raw["training"] | {"max_epochs": 1}}, tmp_path, dataset)
    with pytest.raises(InputError) as caught:
        fit(raw, tmp_path, poisoned(dataset, "train", victim.rows[:2], value), resume=True)
    # A gradient is that of the whole batch.
    told = f"rows {victim.rows[0]}, {victim.rows[1]}" + ("" if what == "loss" else ", ")
    [line] = str(caught.value).splitlines()
    assert re.match(rf"training, epoch 2, step 13, task `\w+`: expected a finite {what} .*, found none in {told}", line)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert (state["progress"]["epoch"], state["progress"]["step"]) == (1, 10)
    assert all(one.isfinite().all() for part in ("ranker", "evaluated", "balancer") for one in state[part].values())
    assert_equal(fit(raw, tmp_path / "whole", dataset), fit(raw, tmp_path, dataset, resume=True))


def test_broken_rows_of_the_valid_split_are_named_too(quick: tuple[dict[str, Any], Dataset], tmp_path: Path) -> None:
    raw, dataset = quick
    number = dataset.splits["valid"].rows[7]
    message = rf"^validation after epoch 1, task `click`: expected a finite logit .*, found none in row {number}$"
    with pytest.raises(InputError, match=message):
        fit(raw, tmp_path, poisoned(dataset, "valid", dataset.splits["valid"].rows[7:8], np.nan))


def test_weights_that_are_no_numbers_are_never_saved(quick: tuple[dict[str, Any], Dataset], tmp_path: Path) -> None:
    """Not even where no loss shows it: the logs always know the device, and its code for missing is never looked up."""
    raw, dataset = quick
    config, saving = parse(raw, {}, "config"), Checkpointing(tmp_path / "checkpoint.pt", "identity", resume=False)
    trainer = Trainer(config, dataset, saving, Interrupting(None))
    assert all(one.arrays["device"].all() for one in dataset.splits.values())
    slot = trainer.ranker.inputs.copies[0].embeddings.slots["device"]
    name = f"inputs.copies.0.embeddings.fused.{slot.fused}.weight"
    with torch.no_grad():
        trainer.ranker.get_parameter(name)[slot.start] = torch.nan
    with pytest.raises(InputError, match=rf"epoch 1, step 11: expected finite weights .*, found others in `{name}`"):
        trainer.run()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("term", [{"task": "like"}, {"task": "like", "metric": "gauc"}])
def test_a_utility_that_the_valid_split_cannot_have_is_refused_before_the_first_epoch(
    quick: tuple[dict[str, Any], Dataset], tmp_path: Path, term: dict[str, str]
) -> None:
    raw, dataset = quick
    valid = dataset.splits["valid"]
    one_class = replace(valid, values=valid.values * (np.arange(4) != 2))
    raw["training"]["early_stop"] = {"utility": [term]}
    with pytest.raises(InputError, match=r"^training.early_stop.utility, like/g?auc: expected a task with labels"):
        fit(raw, tmp_path, replace(dataset, splits={**dataset.splits, "valid": one_class}), after=0)
    raw["training"]["early_stop"] = {"utility": [{"task": "like", "metric": "log_loss"}, {"task": "click"}]}
    with pytest.raises(KeyboardInterrupt):  # it trains
        fit(raw, tmp_path, replace(dataset, splits={**dataset.splits, "valid": one_class}), after=0)


def test_killed_ten_times_at_random_moments_it_ends_in_identical_weights(
    raw_config: dict[str, Any], tmp_path: Path
) -> None:
    """Real processes and SIGKILL, while it prepares data, steps, evaluates or writes a checkpoint."""
    raw_config["training"] |= {"checkpoint_steps": 3, "batch_size": 128, "max_epochs": 8, "early_stop": {"patience": 9}}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(raw_config))

    def start(runs: str, *more: str) -> subprocess.Popen[bytes]:
        options = [str(tmp_path / "run.yaml"), "--runs", str(tmp_path / runs), "--no-report", *more]
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
