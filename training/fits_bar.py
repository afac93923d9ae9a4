"""FitsBar: one progress bar over many fits."""

from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from training import checkpoints


class FitsBar:
    """A context manager that watches the fit which goes on in this process (a Watcher of training.loop), and counts
    those that are done. Each counts the same; one that stops early jumps to its end.
    """

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
        self.bar = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console)
        self.running = self.bar.add_task("", visible=False)
        self.num_done, self.max_epochs = 0, 1

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.bar.stop()

    def preparing(self, what: str, done: int, total: int) -> None:
        """A Progress callback of training.dataset."""
        self.bar.update(self.running, description=what, completed=done, total=total, visible=True)

    def expect(self, num_fits: int, num_done: int) -> None:
        self.num_done = num_done
        self.bar.update(self.running, description="", completed=num_done, total=num_fits, visible=True)

    def begin(self, what: str, max_epochs: int) -> None:
        self.max_epochs = max_epochs
        self.bar.update(self.running, description=what)

    def end(self, what: str) -> None:
        self.num_done += 1
        self.bar.update(self.running, description=what, completed=self.num_done)

    def step(self, progress: checkpoints.Progress, num_steps: int, losses: dict[str, float], optimised: float) -> None:  # noqa: ARG002
        part = (progress.epoch + progress.step / num_steps) / self.max_epochs
        self.bar.update(self.running, completed=self.num_done + part)

    def epoch(self, record: dict[str, Any], is_best: bool) -> None:
        """One fit among many: nothing to say."""
