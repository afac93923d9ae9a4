"""`watchnext replay` as users have it: on a trained run, with what the log has and without."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from rich.console import Console

from model.contract.combination import combine
from training.cli import main
from training.config import parse, to_yaml
from training.evaluation import compute_logits, predict
from training.replay import Asked, policies_of, replay
from training.run import Run, load_trained, train
from training.watching import TerminalWatcher

MOST = '{"combination": "weighted_sum", "weights": {"click": 1}}'
LEAST = '{"combination": "weighted_sum", "weights": {"click": -1}}'


def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["watchnext", "replay", *arguments])
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    out = capsys.readouterr()
    return code, out.out, out.err


@pytest.fixture
def options(trained: tuple[Run, Path], tmp_path: Path) -> list[str]:
    """A config file of the trained run, and where its runs are."""
    run = trained[0]
    (tmp_path / "run.yaml").write_text(to_yaml(run.config))
    return [str(tmp_path / "run.yaml"), "--runs", str(run.folder.parent)]


def test_a_replay_prints_tables_and_leaves_a_document_and_a_picture(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ["--policy", "engaged", "--policy", MOST, "--policy", LEAST, "--top-k", "1", "--out", str(tmp_path / "out")]
    code, out, err = command(capsys, monkeypatch, *options, *more)
    assert code == 0, err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["front.png", "replay.json"]
    assert (tmp_path / "out" / "front.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads((tmp_path / "out" / "replay.json").read_text())
    most, least = "weighted_sum(click 1)", "weighted_sum(click -1)"
    assert list(found["policies"]) == list(found["orders"]) == ["engaged", most, least]
    assert found["reference"]["name"] == "today's order" and found["num_requests"] <= found["num_logged"]
    clicks = {name: one["values"]["click"]["value"] for name, one in found["orders"].items()}
    assert clicks[most] > found["reference"]["values"]["click"]["value"] > clicks[least]
    standings = found["front"]["policies"]
    assert standings[most]["dominated_by"] == []
    better = found["front"]["swept"][standings[least]["dominated_by"][0]]
    assert all(better["values"][task] >= value for task, value in standings[least]["values"].items())
    assert set(found["off_policy"]["as_logged"]) == {"click", "watch_time", "like"}
    assert "`rating`: not observed in every impression" in out and "Pareto front" in out


def test_what_is_told_is_what_the_ranker_would_have_served(trained: tuple[Run, Path]) -> None:
    """One request after the other, by the function that serves."""
    run = trained[0]
    policies = policies_of(run.config, ["balanced"])
    with TerminalWatcher(Console(quiet=True), run.curves) as watcher:
        found = replay(run, Asked(policies, "valid", 4), watcher)
        split = run.dataset(watcher).splits["valid"]
        ranker = load_trained(run, run.dataset(watcher))
    predictions = predict(ranker.calibration, compute_logits(ranker, split))
    clicks, watched = [], []
    for request in np.unique(split.groups):
        rows = np.flatnonzero(split.groups == request)
        if len(rows) > 4:
            by_task = {task.name: predictions[rows, at] for at, task in enumerate(run.config.tasks)}
            best = np.argsort(-combine(by_task, policies["balanced"]).order_by, kind="stable")[:4]
            clicks.append(by_task["click"][best].mean())
            watched.append(by_task["watch_time"][best].mean())
    order = found.orders["balanced"]
    assert found.num_requests == len(clicks)
    assert order.values["click"].value == pytest.approx(np.mean(clicks))
    assert order.values["watch_time"].value == pytest.approx(np.mean(watched))
    assert found.front.standings["balanced"].values[0] == pytest.approx(np.mean(clicks))


def test_a_log_without_requests_positions_and_propensities_is_replayed_by_user(
    raw_config: dict[str, Any], tmp_path: Path
) -> None:
    del raw_config["position_bias"], raw_config["data"]["propensity"]
    raw_config["data"]["keys"] = {"user": "user_id", "video": "video_id", "query_video": "watching"}
    raw_config["features"] = [one for one in raw_config["features"] if one["name"] != "position"]
    raw_config["training"]["max_epochs"] = 1
    run = Run.of(parse(raw_config, {}, "config"), tmp_path)
    train(run, None, resume=False, console=Console(quiet=True))
    with TerminalWatcher(Console(quiet=True), run.curves) as watcher:
        found = replay(run, Asked(run.config.policies, "test", 10), watcher)
        num_users = len(np.unique(run.dataset(watcher).splits["test"].users))
    assert found.reference == "balanced" and found.off_policy is None
    assert found.orders["balanced"].overlap.value == 1
    assert found.orders["satisfied"].overlap.value < 1
    assert found.num_logged == num_users
    assert list(found.notes) == [
        "no `keys.request`: all that a user was shown in test counts as one request",
        "orders are held against policy `balanced`",
        "no `data.propensity`: no off-policy estimates",
    ]


def test_propensities_may_be_declared_after_training(trained: tuple[Run, Path]) -> None:
    config = trained[0].config
    without = config.model_copy(update={"data": config.data.model_copy(update={"propensity": None})})
    assert Run.of(without, trained[0].folder.parent).identity == trained[0].identity


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--policy", "engage"], "did you mean `engaged`?"),
        (["--policy", MOST.replace("click", "clock")], "--policy.weights.clock: expected a task"),
        (["--split", "train"], "--split: expected a split that was not trained on (`test`, `valid`), found `train`"),
        (["--top-k", "12"], "--top-k: expected fewer places than some request of test has candidates, found 12"),
    ],
)
def test_what_cannot_be_replayed_is_one_line(
    wrong: list[str],
    message: str,
    options: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, _, err = command(capsys, monkeypatch, *options, *wrong)
    assert code == 2 and message in err and len(err.strip().splitlines()) == 1, err


def test_without_a_trained_run_there_is_nothing_to_replay(
    raw_config: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(raw_config))
    code, _, err = command(capsys, monkeypatch, str(tmp_path / "run.yaml"), "--runs", str(tmp_path))
    assert code == 2 and "expected a trained run" in err and len(err.strip().splitlines()) == 1
