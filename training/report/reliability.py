"""Draws reliability: predicted against happened, a diagram each task."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from model.contract.tasks import TaskKind
from training.evidence.reliability import Reliability, TaskReliability
from training.report.exhibit import Exhibit, Picture, Width
from training.report.style import LINE, QUIET, colors_of, new_figure, picture

Array = NDArray[np.float64]
SKEWED = 5.0  # highest bin against the middle one, from where on the axes are stretched
NUM_BARS = 40


def draw(reliability: Reliability) -> Exhibit:
    colors = colors_of([one.task.name for one in reliability.tasks])
    return Exhibit(
        """What was predicted, and what then happened: each dot is the same number of test rows, its whisker a 95%
        interval. Dots on the line are promises kept. A dot below the line promises too much, a dot above it too
        little; a row of dots flatter than the line is a ranker too sure of itself. Grey bars show where predictions
        lie. Axes of rare events are on a square-root scale.""",
        [_diagram(one, colors[one.task.name]) for one in reliability.tasks],
    )


def _diagram(one: TaskReliability, color: str) -> Picture:
    low, high = np.array([(each.low, each.high) for each in one.happened]).T
    happened = np.array([each.value for each in one.happened])
    drawn = new_figure(Width.THIRD, 3.05)
    axes = drawn.add_subplot()
    limits = _limits(one, low, high)
    if limits[0] == 0 and one.predicted[-1] > SKEWED * max(np.median(one.predicted), 1e-9):
        _stretch(axes, limits[1])
    axes.set_xlim(limits)
    axes.set_ylim(limits)
    axes.set_box_aspect(1)
    _bars(axes, one.predictions, limits)
    axes.plot(limits, limits, color=QUIET, lw=1, ls=(0, (4, 3)))
    axes.vlines(one.predicted, low, high, color=color, lw=1.4, alpha=0.55)
    axes.plot(one.predicted, happened, "o", ms=4.5, color=color, mec="white", mew=0.6)
    unit = f" ({one.task.unit})" if one.task.unit else ""
    axes.set_xlabel(f"predicted{unit}")
    axes.set_ylabel(f"happened{unit}")
    name = "ECE" if one.task.kind is TaskKind.BINARY else "mean gap"
    error = f"{one.error:.4f}" if one.error < 1 else f"{one.error:.2f}"
    axes.set_title(one.task.name)
    axes.text(
        0.04,
        0.96,
        f"{name} {error}\n{one.rows_per_bin:,} rows a dot",
        transform=axes.transAxes,
        va="top",
        fontsize=7.5,
        color=QUIET,
    )
    return picture(
        drawn,
        f"reliability-{one.task.name}",
        f"{one.task.name}: predicted against happened; {name} {error}",
        Width.THIRD,
    )


def _limits(one: TaskReliability, low: Array, high: Array) -> tuple[float, float]:
    """Equal on both axes; of stars they begin at the lowest dot, of chances and of times at 0."""
    ends = np.concatenate([one.predicted, low[np.isfinite(low)], high[np.isfinite(high)]])
    margin = 0.04 * float(np.ptp(ends)) or 0.01  # of a constant
    first = 0.0 if ends.min() >= 0 and one.task.range is None else float(ends.min()) - margin
    return (first, float(ends.max()) + margin)


def _stretch(axes: Axes, highest: float) -> None:
    """Square roots of chances scatter alike everywhere, and leave room for 0, which a logarithm does not."""
    axes.set_xscale("function", functions=(_root, np.square))
    axes.set_yscale("function", functions=(_root, np.square))
    series = [digit * 10.0**power for power in range(-6, 7) for digit in (1, 2, 5)]
    ticks, last = [0.0], np.sqrt(highest) * 1.1
    for tick in sorted((one for one in series if one <= highest), reverse=True):
        if last - np.sqrt(tick) > np.sqrt(highest) / 6 and np.sqrt(tick) > np.sqrt(highest) / 9:
            ticks.append(tick)
            last = np.sqrt(tick)
    labels = [f"{tick:g}" for tick in ticks]
    axes.set_xticks(ticks, labels)
    axes.set_yticks(ticks, labels)


def _root(values: Array) -> Array:
    return np.sqrt(np.maximum(values, 0.0))


def _bars(axes: Axes, predictions: Array, limits: tuple[float, float]) -> None:
    """How predictions are distributed, as a low skyline at the foot of the diagram."""
    scale = axes.transScale.transform
    ends = scale(np.array([limits, limits]).T)[:, 0]
    at = scale(np.stack([predictions, predictions], 1))[:, 0]
    counts, edges = np.histogram(at, np.linspace(ends[0], ends[1], NUM_BARS + 1))
    back = axes.transScale.inverted().transform(np.stack([edges, edges], 1))[:, 0]
    heights = 0.14 * counts / max(counts.max(), 1)
    axes.bar(
        back[:-1], heights, np.diff(back), align="edge", color=LINE, transform=axes.get_xaxis_transform(), zorder=0.5
    )
