"""Draws learning: losses and metrics of each task, epoch by epoch."""

from matplotlib.axes import Axes

from training.evidence.learning import Learning
from training.metrics import metric_name
from training.report.exhibit import Exhibit, Picture, Width
from training.report.style import QUIET, colors_of, new_figure, picture


def draw(learning: Learning) -> Exhibit:
    tasks = list(learning.epochs[0].losses)
    colors = colors_of(tasks)
    return Exhibit(
        f"""Each task's own training loss, before any weighting, and below it what was measured on
        validation; the dotted line is epoch {learning.best.epoch + 1}, whose weights were kept. A
        metric that worsens while the loss still falls is overfitting. A loss that rises while others
        fall is a task that pays for them.""",
        [_task(learning, task, colors[task]) for task in tasks],
    )


def _task(learning: Learning, task: str, color: str) -> Picture:
    epochs = [one.epoch + 1 for one in learning.epochs]
    metrics = [name for name in learning.epochs[0].metrics if name.split("/")[0] == task]
    drawn = new_figure(Width.THIRD, 1.55 + 1.15 * len(metrics))
    upper, *others = drawn.subplots(1 + len(metrics), 1, sharex=True, squeeze=False)[:, 0]
    _line(upper, epochs, [one.losses[task] for one in learning.epochs], color)
    upper.set_title(task)
    upper.set_ylabel("training loss")
    for axes, name in zip(others, metrics, strict=True):
        _line(axes, epochs, [one.metrics[name] for one in learning.epochs], color)
        axes.set_ylabel(metric_name(name.split("/")[1]))
    last = others[-1] if others else upper
    for axes in (upper, *others):
        axes.axvline(learning.best.epoch + 1, color=QUIET, lw=1, ls=(0, (1, 2)))
        axes.ticklabel_format(useOffset=False)
        axes.locator_params(axis="y", nbins=4)
    last.set_xticks(epochs[:: max(1, len(epochs) // 10)])
    last.set_xlabel("epoch")
    drawn.align_ylabels()
    shows = (
        f"{task}: training loss from {learning.epochs[0].losses[task]:.3f} to {learning.epochs[-1].losses[task]:.3f}"
    )
    return picture(drawn, f"learning-{task}", shows, Width.THIRD)


def _line(axes: Axes, epochs: list[int], values: list[float], color: str) -> None:
    axes.plot(epochs, values, "o-", ms=3.5, color=color)
    axes.margins(y=0.2)
