"""Watching a run: a progress bar on the terminal, curves in TensorBoard."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.utils.tensorboard import SummaryWriter

from training import checkpoints


class TerminalWatcher:
    """Shows every task's loss as it was trained on, never only their weighted sum, and writes the curves.

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
        shown = " ".join(f"{name} {value:.3f}" for name, value in means.items())
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

    def _show(self, phase: str, done: int, total: int, losses: str) -> None:
        if phase != self.phase:
            self.bar.update(self.running, visible=False)
            self.running = self.bar.add_task(phase, total=total, losses=losses)
            self.phase = phase
        self.bar.update(self.running, completed=done, total=total, losses=losses)
