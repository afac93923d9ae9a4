"""`watchnext tune`: the best config is written, and an interrupted search ends as an unbroken one would have."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner

from model.contract.mistakes import InputError
from training import cli
from training.config import load_config
from training.fits_bar import FitsBar
from training.tuning.study import UNPRUNED_TRIALS, ask, open_study
from training.tuning.tune import Pruner

SPACE = """
training.learning_rate: {low: 1.0e-4, high: 1.0e-2, log: true}
network.hidden_units: [8, 16]
"""


@pytest.fixture
def config(raw_config: dict[str, Any], tmp_path: Path) -> Path:
    raw_config["training"] |= {"checkpoint_steps": 10}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(raw_config))
    (tmp_path / "space.yaml").write_text(SPACE)
    return tmp_path / "run.yaml"


def tune(config: Path, runs: str, *options: str) -> tuple[int, str]:
    space = ("--space", str(config.parent / "space.yaml"))
    line = ["tune", str(config), "--runs", str(config.parent / runs), *space, *options]
    done = CliRunner().invoke(cli.app, line, catch_exceptions=True)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, " ".join(done.output.split())


def trials_of(config: Path, runs: str) -> list[tuple[str, float | None, dict[str, Any], dict[int, float]]]:
    """What was told of every trial that was not interrupted."""
    database = config.parent / runs / "simulated" / "tuning" / "study.db"
    [study] = [
        optuna.load_study(study_name=name, storage=f"sqlite:///{database}")
        for name in optuna.get_all_study_names(f"sqlite:///{database}")
    ]
    over = [one for one in study.trials if one.state.name != "FAIL" or "reason" in one.user_attrs]
    return [(one.state.name, one.value, one.params, one.intermediate_values) for one in over]


def test_the_best_is_a_whole_config_and_not_worse_than_what_was(config: Path) -> None:
    code, output = tune(config, "runs", "--trials", "3")
    assert code == 0 and "3 trials: 3 to the end, 0 pruned, 0 failed" in output
    trials = trials_of(config, "runs")
    own = load_config(config)
    assert trials[0][2] == {"training.learning_rate": own.training.learning_rate, "network.hidden_units": "16"}
    values = [value for _, value, _, _ in trials if value is not None]
    best = config.parent / "runs/simulated/tuning/best.yaml"
    assert f"utility {max(values):.4f} on validation" in best.read_text().splitlines()[0]
    found, params = load_config(best), trials[values.index(max(values))][2]
    assert found.training.learning_rate == params["training.learning_rate"]
    assert str(found.network.hidden_units) == params["network.hidden_units"]
    assert found.data == own.data and found.tasks == own.tasks and found.sharing == own.sharing
    assert [path.name for path in best.parent.glob("*.pt")] == []


def test_interrupted_it_goes_on_to_the_same_trials(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tune(config, "unbroken", "--trials", "3")
    step, seen = FitsBar.step, 0

    def interrupting(bar: FitsBar, *news: Any) -> None:
        nonlocal seen
        seen += 1
        if seen in (60, 110):  # in the second epoch of a trial, and in the first of the next
            raise KeyboardInterrupt
        step(bar, *news)

    monkeypatch.setattr(FitsBar, "step", interrupting)
    for _ in range(2):
        code, output = tune(config, "broken", "--trials", "3")
        assert code == 130 and output.endswith("interrupted; the same command goes on")
    assert tune(config, "broken", "--trials", "3")[0] == 0
    assert trials_of(config, "broken") == trials_of(config, "unbroken")


def test_a_trial_that_diverges_is_one_that_failed(config: Path) -> None:
    (config.parent / "space.yaml").write_text("training.learning_rate: [0.001, 1.0e+9]")
    code, output = tune(config, "runs", "--trials", "4", "--out", str(config.parent / "best.yaml"))
    assert code == 0 and "failed: training, epoch 1" in output
    assert {state for state, *_ in trials_of(config, "runs")} == {"COMPLETE", "FAIL"}
    assert load_config(config.parent / "best.yaml").training.learning_rate == 0.001


def test_a_timeout_begins_no_trial_and_a_search_without_any_is_told(config: Path) -> None:
    with pytest.raises(InputError, match="tune: expected a trial that comes to an end, found none that was begun"):
        tune(config, "runs", "--timeout", "0")


def test_a_database_that_is_none_is_told(config: Path) -> None:
    folder = config.parent / "runs/simulated/tuning"
    folder.mkdir(parents=True)
    (folder / "study.db").write_text("nonsense" * 1000)
    with pytest.raises(InputError, match=r"study.db: expected a database of trials, readable and writable, found"):
        tune(config, "runs")


def test_what_is_worse_than_half_of_those_before_it_is_pruned(tmp_path: Path, config: Path) -> None:
    study = open_study(tmp_path / "study.db", "name", load_config(config), {})
    for value in range(UNPRUNED_TRIALS):
        study.add_trial(optuna.create_trial(value=value, intermediate_values={0: value, 1: value}))
    with FitsBar(Console(quiet=True)) as bar:
        good, bad = (Pruner(ask(study, {}, seed=0), bar) for _ in range(2))
        good.epoch({"utility": 9.0, "epoch": 0}, is_best=True)
        with pytest.raises(optuna.TrialPruned):
            bad.epoch({"utility": 0.5, "epoch": 0}, is_best=True)


def test_without_optuna_it_says_what_to_install(config: Path) -> None:
    """In a process of its own: what has been imported here stays imported."""
    program = (
        "import sys; sys.modules['optuna'] = None; sys.argv[0] = 'watchnext'; from training.cli import main; main()"
    )
    line = [sys.executable, "-c", program, "tune", str(config)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "watchnext tune: expected optuna (pip install 'watchnext[tune]'), found none installed"
    )
