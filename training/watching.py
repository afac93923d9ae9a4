"""Watching a run: a progress bar on the terminal, curves in TensorBoard."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.utils.tensorboard import SummaryWriter

from training import checkpoints


class TerminalWatcher:
    """Shows what is optimised, and beside it every task's unweighted loss, both as means of the epoch so far; writes
    the curves of all that, step by step, and of metrics and task weights, epoch by epoch.

    A context manager; `preparing` is a Progress callback of training.dataset.
    """

    def __init__(self, console: Console, curves: Path) -> None:
        self.console = console
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, TextColumn("{task.fields[losses]}"), console=console)
        self.curves = SummaryWriter(str(curves))
        self.phase = ""
        self.running = self.bar.add_task("", visible=False, losses="")

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.bar.stop()
        self.curves.close()

    def preparing(self, what: str, done: int, total: int) -> None:
        self._show(what, done, total, "")

    def step(self, progress: checkpoints.Progress, num_steps: int, losses: dict[str, float], optimised: float) -> None:
        means = {name: total / progress.step for name, total in zip(losses, progress.loss_sums, strict=True)}
        of_tasks = " ".join(f"{name} {value:.3f}" for name, value in means.items())
        shown = f"optimised {progress.optimised_sum / progress.step:.3f} · {of_tasks}"
        self._show(f"epoch {progress.epoch + 1}", progress.step, num_steps, shown)
        for name, value in losses.items():
            self.curves.add_scalar(f"loss/{name}", value, progress.total_steps)
        self.curves.add_scalar("optimised", optimised, progress.total_steps)

    def epoch(self, record: dict[str, Any], is_best: bool) -> None:
        number = record["epoch"] + 1
        shown = ", ".join(f"{name} {value:.4f}" for name, value in record["metrics"].items())
        star = " (best so far)" if is_best else ""
        self.console.print(f"epoch {number}: utility {record['utility']:.4f}{star} · {shown}", highlight=False)
        self.curves.add_scalar("valid/utility", record["utility"], number)
        for name, value in record["metrics"].items():
            self.curves.add_scalar(f"valid/{name}", value, number)
        for name, value in record["weights"].items():
            self.curves.add_scalar(f"weight/{name}", value, number)
        self._show_health(record["health"], list(record["losses"]), number)

    def _show_health(self, health: dict[str, Any], tasks: list[str], number: int) -> None:
        """One short line where something is wrong, all figures in the curves."""
        if alarms := health["alarms"]:
            more = f" (and {len(alarms) - 1} more)" if len(alarms) > 1 else ""
            self.console.print(f"experts: {alarms[0]}{more}", style="yellow", markup=False, highlight=False)
        for gate in health["gates"]:
            for task, of_experts, entropy in zip(tasks, gate["tasks"], gate["entropy"], strict=True):
                self.curves.add_scalar(f"{gate['name']}/{task}/entropy", entropy, number)
                for expert, share in enumerate(of_experts, 1):
                    self.curves.add_scalar(f"{gate['name']}/{task}/expert_{expert}", share, number)

    def _show(self, phase: str, done: int, total: int, losses: str) -> None:
        if phase != self.phase:
            self.bar.update(self.running, visible=False)
            self.running = self.bar.add_task(phase, total=total, losses=losses)
            self.phase = phase
        self.bar.update(self.running, completed=done, total=total, losses=losses)
