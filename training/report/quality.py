"""Draws quality: each task's metrics with their intervals, as tables and as dots."""

import math
from collections.abc import Iterator, Sequence

from model.contract.tasks import TaskKind
from training.evidence.draws import Interval
from training.evidence.quality import Quality, TaskQuality
from training.metrics import METRICS, metric_name
from training.report.exhibit import Cell, Exhibit, Picture, Table, Width, figure, spread
from training.report.style import INK, QUIET, bare, colors_of, new_figure, picture
from training.splits import TEST, VALID

# What can be set side by side, whatever the unit of a task.
SHOWN = {TaskKind.BINARY: ("auc", "AUC", 0.5), TaskKind.REGRESSION: ("spearman", "rank correlation (Spearman)", 0.0)}
NAMES = {TEST: "test", VALID: "validation"}


def draw(quality: Quality) -> Exhibit:
    colors = colors_of([one.task.name for one in quality.tasks])
    kinds = dict.fromkeys(one.task.kind for one in quality.tasks)
    by_kind = {kind: [one for one in quality.tasks if one.task.kind is kind] for kind in kinds}
    known = {kind: [one for one in some if _is_known(one)] for kind, some in by_kind.items()}
    return Exhibit(
        """How well each task is predicted, on test rows that had no part in training or calibration, with positions
        unknown as at serving. Intervals are 95%, by resampling users. A test interval far from the one of validation
        means that the two periods differ, or that too much was chosen on validation.""",
        [_dots(kind, some, colors) for kind, some in known.items() if some],
        [_table(kind, some, colors) for kind, some in by_kind.items()],
    )


def _is_known(one: TaskQuality) -> bool:
    """Not so where the rows of a split are of one class."""
    metric = SHOWN[one.task.kind][0]
    return all(math.isfinite(metrics[metric].value) for metrics in one.metrics.values())


def _dots(kind: TaskKind, tasks: Sequence[TaskQuality], colors: dict[str, str]) -> Picture:
    metric, label, nothing = SHOWN[kind]
    drawn = new_figure(Width.HALF, 0.85 + 0.42 * len(tasks))
    axes = drawn.add_subplot()
    for row, one in enumerate(tasks):
        color, test, valid = colors[one.task.name], one.metrics[TEST][metric], one.metrics[VALID][metric]
        axes.plot([test.low, test.high], [row - 0.13] * 2, color=color, lw=2, solid_capstyle="round")
        axes.plot([valid.low, valid.high], [row + 0.17] * 2, color=color, lw=1)
        axes.plot(test.value, row - 0.13, "o", ms=6, color=color)
        axes.plot(valid.value, row + 0.17, "o", ms=4.5, color=color, mfc="white")
        said = f"{test.value:.3f}"
        axes.annotate(said, (test.high, row - 0.13), (6, 0), textcoords="offset points", va="center", color=INK)
    axes.axvline(nothing, color=QUIET, lw=1, ls=(0, (2, 2)))
    axes.set_yticks(range(len(tasks)), [one.task.name for one in tasks], color=INK)
    axes.set_ylim(len(tasks) - 0.45, -0.6)
    axes.margins(x=0.12)
    axes.set_title(f"{label}: ● test, ○ validation", fontsize=8.5, fontweight="normal", color=QUIET)
    axes.grid(axis="y", visible=False)
    bare(axes, "left")
    said = ", ".join(f"{one.task.name} {one.metrics[TEST][metric].value:.3f}" for one in tasks)
    return picture(drawn, f"quality-{kind}", f"{label} on test: {said}", Width.HALF)


def _table(kind: TaskKind, tasks: Sequence[TaskQuality], colors: dict[str, str]) -> Table:
    metrics = list(METRICS[kind])
    rate = "rate" if kind is TaskKind.BINARY else "mean"
    return Table(
        f"{kind.value.capitalize()} tasks",
        ("task", "", "rows", rate, *(metric_name(name) for name in metrics)),
        [list(row) for one in tasks for row in _rows(one, metrics, colors[one.task.name])],
        num_names=2,
    )


def _rows(one: TaskQuality, metrics: Sequence[str], color: str) -> Iterator[list[Cell]]:
    unit = f" {one.task.unit}" if one.task.unit else ""
    mean = f"{one.mean_label:.2%}" if one.task.kind is TaskKind.BINARY else f"{one.mean_label:.3g}{unit}"
    heads = {
        TEST: [Cell(one.task.name, one.task.group, color=color), Cell("test"), Cell(f"{one.num_rows:,}"), Cell(mean)],
        VALID: [Cell(""), Cell("validation", look="quiet"), Cell(""), Cell("")],
    }
    for split, head in heads.items():
        look = "" if split == TEST else "quiet"
        yield [*head, *(_figure(one.metrics[split][name], look) for name in metrics)]


def _figure(one: Interval, look: str) -> Cell:
    return Cell(figure(one.value), spread(one), look)
