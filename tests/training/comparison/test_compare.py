"""`watchnext compare` in a world where it is known who helps whom and who is in the way."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from training.cli import app
from training.fits_bar import FitsBar

NUM_ROWS, NUM_FEATURES, SELDOM = 6000, 16, 0.01


def write_world(folder: Path) -> Path:
    """`frequent` and `rare` depend on one direction of the features, `other` on another one. `rare` is seldom observed
    in training, and cannot find the direction alone. The bottom is two units wide, which one direction fills: `other`,
    which weighs less, finds no room.
    """
    random = np.random.default_rng(0)
    features = random.normal(size=(NUM_ROWS, NUM_FEATURES))
    first, second = (features @ np.linalg.qr(random.normal(size=(NUM_FEATURES, 2)))[0]).T
    day = np.arange(NUM_ROWS) * 3 // NUM_ROWS

    def happens(logit: Any) -> Any:
        return random.random(NUM_ROWS) < 1 / (1 + np.exp(-3 * logit))

    columns = {f"x{at}": features[:, at] for at in range(NUM_FEATURES)}
    columns |= {"day": day, "frequent": happens(first), "rare": happens(first), "other": happens(second)}
    columns |= {"seen": random.random(NUM_ROWS) < np.where(day == 0, SELDOM, 1)}
    columns |= {
        "user_id": random.integers(NUM_ROWS // 4, size=NUM_ROWS),
        "video_id": random.integers(50, size=NUM_ROWS),
    }
    pl.DataFrame(columns).write_parquet(folder / "log.parquet")
    config = {
        "name": "world",
        "data": {
            "reader": {"kind": "impressions", "path": str(folder / "log.parquet")},
            "split": {"by": "time", "column": "day", "valid_from": 1, "test_from": 2},
        },
        "features": [
            {"name": f"x{at}", "kind": "number", "side": "context" if at % 2 else "candidate"}
            for at in range(NUM_FEATURES)
        ],
        "tasks": [
            {"name": "frequent", "group": "g", "kind": "binary", "label": "frequent"},
            {"name": "rare", "group": "g", "kind": "binary", "label": "rare", "observed": "seen"},
            {"name": "other", "group": "g", "kind": "binary", "label": "other", "loss_weight": 0.1},
        ],
        "network": {"hidden_units": 16, "tower_units": [4]},
        "sharing": {"kind": "shared_bottom", "units": [2]},
        "training": {"batch_size": 100, "max_epochs": 5, "learning_rate": 0.05, "weight_average": 0.9},
        "policies": {"only": {"combination": "weighted_sum", "weights": {"frequent": 1.0}}},
    }
    (folder / "world.yaml").write_text(yaml.safe_dump(config))
    return folder / "world.yaml"


def compare(config: Path, *options: str) -> tuple[int, str]:
    runs = ("--runs", str(config.parent / "runs"), "--sharing", "shared_bottom")
    done = CliRunner().invoke(app, ["compare", str(config), *runs, *options])
    return done.exit_code, " ".join(done.output.split())


def tables(output: str) -> str:
    """Without the progress bar."""
    return output[output.index("Test split") :]


def kept(config: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (config.parent / "runs/world/comparison").iterdir()}


@dataclass(frozen=True)
class Compared:
    config: Path
    output: str
    found: dict[str, Any]

    def row(self, arm: str, task: str) -> dict[str, Any]:
        [row] = [one for one in self.found["rows"] if (one["arm"], one["task"]) == (arm, task)]
        return row


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Compared:
    config = write_world(tmp_path_factory.mktemp("world"))
    code, output = compare(config, "--seeds", "5")
    assert code == 0, output
    return Compared(config, output, json.loads((config.parent / "runs/world/comparison.json").read_text()))


def test_negative_transfer_is_found(compared: Compared) -> None:
    row, alone = compared.row("shared_bottom", "other"), compared.row("single", "other")
    assert row["high"] < -0.1 and row["gain"] == pytest.approx(row["mean"] - alone["mean"])
    assert "`other` loses 0." in compared.output
    assert "Train `other` apart: on validation it does clearly better alone than in `shared_bottom`" in compared.output


def test_a_rare_task_is_found_to_gain_from_a_frequent_one(compared: Compared) -> None:
    assert compared.row("shared_bottom", "rare")["low"] > 0.01
    assert "`rare` gains 0." in compared.output and "Train `rare` apart" not in compared.output


def test_costs_stand_beside_the_gains(compared: Compared) -> None:
    single, shared = compared.found["costs"]["single"], compared.found["costs"]["shared_bottom"]
    assert single["parameters"] > shared["parameters"] > 0
    assert single["multiplications"] > shared["multiplications"] > 0 and shared["seconds"] > 0
    assert compared.found["seeds"] == [0, 1, 2, 3, 4]


def test_what_was_done_is_not_done_again(compared: Compared) -> None:
    config, before = compared.config, kept(compared.config)
    assert tables(compare(config, "--seeds", "5")[1]) == tables(compared.output)
    assert kept(config) == before
    code, _ = compare(config, "--seeds", "6")
    after = kept(config)
    assert code == 0 and after.keys() > before.keys() and {name: after[name] for name in before} == before


def test_an_interrupted_comparison_says_that_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(FitsBar, "step", interrupt)
    config = write_world(tmp_path)
    code, output = compare(config)
    assert code == 130 and output.endswith("interrupted; the same command goes on")
    assert not (tmp_path / "runs/world/comparison.json").exists()
