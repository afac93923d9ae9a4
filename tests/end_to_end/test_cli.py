"""The `watchnext` command as users have it: help with examples, and one line for each mistake."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from training.cli import main
from training.run import Run

ROOT = Path(__file__).parents[2]
COMMANDS = (
    *("init", "check", "train", "evaluate", "replay", "compare", "tune", "simulate", "rank", "demo"),
    *("versions", "promote", "rollback", "canary", "shadow", "features load"),
)


def run(*arguments: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["watchnext", *arguments])
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    out = capsys.readouterr()
    return code, out.out, out.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = run(*command.split(), "--help", capsys=capsys, monkeypatch=monkeypatch)
    assert code == 0 and f"Example: watchnext {command}" in " ".join(out.split())


def bad_inputs(folder: Path, raw: dict[str, Any]) -> dict[str, tuple[list[str], str]]:
    """Each kind of bad input to the trainer: the arguments, and what the one line must say."""
    frame = pl.read_parquet(Path(raw["data"]["reader"]["path"]) / "*.parquet").head(6000)
    raw["data"]["split"] = {"by": "random", "column": "request_id"}

    def case(name: str, table: pl.DataFrame | bytes | None = None, **changes: Any) -> list[str]:
        path = folder / f"{name}.parquet"
        if isinstance(table, bytes):
            path.write_bytes(table)
        elif table is not None:
            table.write_parquet(path)
        changed = raw | changes
        changed["data"] = raw["data"] | {"reader": {**raw["data"]["reader"], "path": str(path)}}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(changed))
        options = ["--runs", str(folder / "runs"), "--registry", str(folder / "registry")]
        return ["train", str(folder / f"{name}.yaml"), *options]

    nan = pl.when(pl.int_range(pl.len()) == 3).then(float("nan")).otherwise(pl.col("watch_time_s"))
    infinite = pl.when(pl.int_range(pl.len()) == 5).then(float("inf")).otherwise(pl.col("hour").cast(pl.Float64))
    twice = [*raw["features"], raw["features"][0]]
    numeric_hour = [one | {"kind": "number"} if one["name"] == "hour" else one for one in raw["features"]]
    return {
        "missing column": (case("a", frame.drop("device")), "column `device`"),
        "wrong type": (case("b", frame.with_columns(hour=pl.lit(1.5))), "column `hour`: expected strings, integers"),
        "labels": (case("c", frame.with_columns(click=pl.lit(7))), "column `click`, row 0: expected 0 or 1"),
        "no labels": (case("d", frame.with_columns(rated=pl.lit(False))), "labels of task `rating` in the train split"),
        "nan": (case("e", frame.with_columns(watch_time_s=nan)), "column `watch_time_s`, row 3"),
        "infinite": (case("f", frame.with_columns(hour=infinite), features=numeric_hour), "column `hour`, row 5"),
        "duplicate": (case("g", frame, features=twice), "features[22].name: expected a name that no other feature has"),
        "empty split": (case("h", frame.head(1)), "rows in the"),
        "no file": (case("i"), "no such file"),
        "no table": (case("j", b"nonsense"), "expected a readable table"),
        "no config": (["train", str(folder / "none.yaml")], "No such file or directory"),
        "no run": (["evaluate", str(folder / "g2.yaml"), *case("g2", frame)[2:4]], "expected a trained run"),
    }


NAMES = (
    *("missing column", "wrong type", "labels", "no labels", "nan", "infinite"),
    *("duplicate", "empty split", "no file", "no table", "no config", "no run"),
)


@pytest.mark.parametrize("name", NAMES)
def test_bad_input_is_one_line_and_exit_code_2(
    name: str,
    raw_config: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments, message = bad_inputs(tmp_path, raw_config)[name]
    code, _, err = run(*arguments, capsys=capsys, monkeypatch=monkeypatch)
    assert code == 2
    assert message in err and "Traceback" not in err and len(err.strip().splitlines()) == 1, err
    assert not list((tmp_path / "registry").glob("versions/*")) and not (tmp_path / "registry" / "channels").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB: a file as long as it likes may be made on it, as long as nothing is written into it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("full", ["runs", "registry"])
def test_a_full_disk_is_one_line_and_publishes_nothing(
    raw_config: dict[str, Any], tmp_path: Path, small_disk: Path, full: str
) -> None:
    """In a process of its own: what is written to a mapped file on a full disk would kill it."""
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(raw_config))
    folders = {name: (small_disk if name == full else tmp_path) / name for name in ("runs", "registry")}
    options = [str(tmp_path / "run.yaml"), *(f"--{name}={folder}" for name, folder in folders.items())]
    line = [sys.executable, "-m", "training.cli", "train", *options]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and "No space left on device" in done.stderr, done.stderr
    assert str(folders[full]) in done.stderr
    assert not list(folders["registry"].glob("versions/*")) and not (folders["registry"] / "channels").exists()
    assert not list(folders["registry"].glob("versions/.*"))


def test_evaluate_repeats_what_training_measured(
    trained: tuple[Run, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done, _ = trained
    path = done.folder / "metrics.json"
    before = json.loads(path.read_text())
    path.unlink()
    line = ("evaluate", str(done.folder / "config.yaml"), "--runs", str(done.folder.parent), "--no-report")
    code, out, _ = run(*line, capsys=capsys, monkeypatch=monkeypatch)
    assert code == 0 and "NDCG@10" in out and not (done.folder / "report").exists()
    assert json.loads(path.read_text()) == before


def test_rank_answers_a_request_from_a_file(small_registry: Path, tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text(json.dumps({"candidates": ["v1", "v2"]}))
    line = [sys.executable, "-m", "training.cli", "rank", str(small_registry), str(tmp_path / "request.json")]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert {one["id"] for one in json.loads(done.stdout)["ranking"]} == {"v1", "v2"}
    [bundle] = (small_registry / "versions").iterdir()
    by_bundle = subprocess.run([*line[:4], str(bundle), line[5]], cwd=ROOT, capture_output=True, timeout=60, check=True)
    assert json.loads(by_bundle.stdout)["ranking"] == json.loads(done.stdout)["ranking"]
    (tmp_path / "request.json").write_text("{")
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr and "request.json" in done.stderr


def test_simulated_logs_are_never_mixed_with_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("simulate", "--impressions", "30", "--out", str(tmp_path / "logs"))
    assert run(*options, capsys=capsys, monkeypatch=monkeypatch)[0] == 0
    code, _, err = run(*options, capsys=capsys, monkeypatch=monkeypatch)
    assert code == 2 and len(err.strip().splitlines()) == 1 and "expected a folder without tables" in err


def test_an_interrupted_training_says_how_to_go_on(
    raw_config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("training.run.prepare", interrupted)
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(raw_config))
    options = ("train", str(tmp_path / "run.yaml"), "--runs", str(tmp_path / "runs"))
    code, _, err = run(*options, capsys=capsys, monkeypatch=monkeypatch)
    assert code == 130 and err.strip() == "interrupted; the same command with --resume goes on"


def test_features_are_loaded_by_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pl.DataFrame({"video_id": ["v1", "v2"], "author": ["ann", "bob"]}).write_csv(tmp_path / "videos.csv")
    asked = ("features", "load", str(tmp_path / "videos.csv"), "--store", str(tmp_path / "features.sqlite"))
    code, out, _ = run(*asked, "--videos", capsys=capsys, monkeypatch=monkeypatch)
    assert code == 0 and "2 videos stored" in out
    for wrong, told in (((), "--users, --videos: expected one of them"), (("--users",), "column `user_id`: expected")):
        code, out, err = run(*asked, *wrong, capsys=capsys, monkeypatch=monkeypatch)
        assert (code, out, err.count("\n")) == (2, "", 1) and told in err
