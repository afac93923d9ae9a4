"""Whatever is optimised, the unweighted losses are shown and written beside it."""

from io import StringIO
from pathlib import Path

from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from training.checkpoints import Progress
from training.watching import TerminalWatcher


def test_the_bar_and_the_curves_have_every_loss_beside_what_is_optimised(tmp_path: Path) -> None:
    shown = StringIO()
    console = Console(file=shown, force_terminal=True, width=200)
    losses = {"click": 0.5, "watch_time": 1.25}
    progress = Progress(step=2, total_steps=12, loss_sums=[1.0, 3.0], optimised_sum=-0.5)
    record = {
        "epoch": 0,
        "losses": losses,
        "optimised": -0.25,
        "weights": {"click": 1.5, "watch_time": 0.125},
        "utility": 0.75,
        "metrics": {"click/auc": 0.75},
        "health": {"alarms": [], "gates": []},
    }
    with TerminalWatcher(console, tmp_path) as watcher:
        watcher.step(progress, 10, losses, optimised=-0.125)
        watcher.epoch(record, is_best=True)
    assert "optimised -0.250 · click 0.500 watch_time 1.500" in shown.getvalue()
    curves = EventAccumulator(str(tmp_path)).Reload()
    values = {tag: (one.step, one.value) for tag in curves.Tags()["scalars"] for one in curves.Scalars(tag)}
    assert values["optimised"] == (12, -0.125)
    assert (values["loss/click"], values["loss/watch_time"]) == ((12, 0.5), (12, 1.25))
    assert (values["weight/click"], values["weight/watch_time"]) == ((1, 1.5), (1, 0.125))


def test_an_alarm_of_the_experts_is_one_line_and_every_figure_of_theirs_a_curve(tmp_path: Path) -> None:
    shown, tasks = StringIO(), ["click", "like"]
    gates = [{"name": "gate", "tasks": [[0.75, 0.25], [0.0, 1.0]], "entropy": [0.5, 0.0]}]
    health = {"gates": gates, "experts": [], "alarms": ["gate polarises [on one]", "another"]}
    record = {
        "epoch": 0,
        "losses": dict.fromkeys(tasks, 1.0),
        "weights": dict.fromkeys(tasks, 1.0),
        "utility": 0.5,
        "metrics": {},
        "health": health,
    }
    with TerminalWatcher(Console(file=shown, width=200), tmp_path) as watcher:
        watcher.epoch(record, is_best=True)
        watcher.epoch(record | {"health": health | {"alarms": []}, "epoch": 1}, is_best=False)
    lines = [line for line in shown.getvalue().splitlines() if line.startswith("experts:")]
    assert lines == ["experts: gate polarises [on one] (and 1 more)"]
    curves = EventAccumulator(str(tmp_path)).Reload()
    values = {tag: curves.Scalars(tag)[0].value for tag in curves.Tags()["scalars"] if tag.startswith("gate/")}
    assert values == {
        "gate/click/expert_1": 0.75,
        "gate/click/expert_2": 0.25,
        "gate/click/entropy": 0.5,
        "gate/like/expert_1": 0.0,
        "gate/like/expert_2": 1.0,
        "gate/like/entropy": 0.0,
    }
