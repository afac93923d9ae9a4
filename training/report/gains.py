"""Draws gains: which tasks win and which lose by being trained together, and what each architecture costs."""

import math
from collections.abc import Sequence

from training.evidence.gains import ALONE, Comparison, Cost, Gain
from training.metrics import metric_name
from training.report.exhibit import DASH, Cell, Exhibit, Picture, Table, Width, figure
from training.report.style import BAD, GOOD, INK, NEUTRAL, QUIET, bare, new_figure, picture


def draw(comparison: Comparison) -> Exhibit:
    tasks = list(dict.fromkeys(one.task for one in comparison.gains.rows))
    # A task may have several metrics: the first one is what the verdict goes by.
    rows = {(one.arm, one.task): one for one in reversed(comparison.gains.rows)}
    arms = list(dict.fromkeys(one.arm for one in comparison.gains.rows))
    by_task = {task: [rows[arm, task] for arm in arms if arm != ALONE and (arm, task) in rows] for task in tasks}
    return Exhibit(
        """What each task gains over being trained alone, for every architecture that `watchnext compare` tried: blue
        gains, orange loses (negative transfer), grey proves nothing.""",
        [_forest(task, some) for task, some in by_task.items() if some],
        [_table(comparison, rows, arms, tasks)],
        comparison.gains.verdict,
    )


def _forest(task: str, rows: Sequence[Gain]) -> Picture:
    drawn = new_figure(Width.THIRD, 0.95 + 0.27 * len(rows))
    axes = drawn.add_subplot()
    for at, one in enumerate(rows):
        color = {"good": GOOD, "bad": BAD}.get(_look(one), NEUTRAL)
        axes.plot([one.low, one.high], [at, at], color=color, lw=1.6, solid_capstyle="round")
        axes.plot(one.gain, at, "o", ms=5, color=color)
    axes.axvline(0, color=QUIET, lw=1)
    axes.set_yticks(range(len(rows)), [one.arm for one in rows], color=INK)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel(f"gain in {metric_name(rows[0].metric)}")
    axes.set_title(task)
    bare(axes, "left")
    said = ", ".join(f"{one.arm} {one.gain:+.4f}" for one in rows)
    return picture(drawn, f"gains-{task}", f"{task}, gain over training it alone: {said}", Width.THIRD)


def _look(one: Gain) -> str:
    return "good" if one.low > 0 else "bad" if one.high < 0 else "quiet"


def _table(
    comparison: Comparison, rows: dict[tuple[str, str], Gain], arms: Sequence[str], tasks: Sequence[str]
) -> Table:
    def cell(arm: str, task: str) -> Cell:
        one = rows.get((arm, task))
        if one is None:
            return Cell(DASH, look="quiet")
        mean = f"{metric_name(one.metric)} {figure(one.mean)}"
        return (
            Cell(figure(one.mean), metric_name(one.metric))
            if arm == ALONE
            else Cell(_signed(one.gain), mean, _look(one))
        )

    def row(arm: str) -> list[Cell]:
        note = "each task by itself" if arm == ALONE else "this run" if arm == comparison.arm else ""
        return [Cell(arm, note), *(cell(arm, task) for task in tasks), *_costs(comparison.gains.costs.get(arm))]

    head = ("architecture", *tasks, "parameters", "multiplications", "seconds")
    return Table("Gains, and what they cost", head, [row(arm) for arm in arms])


def _costs(cost: Cost | None) -> list[Cell]:
    figures = (cost.parameters, cost.multiplications, cost.seconds) if cost else (math.nan,) * 3
    return [Cell(f"{one:,.0f}" if math.isfinite(one) else DASH) for one in figures]


def _signed(value: float) -> str:
    return f"{value:+.4f}" if math.isfinite(value) else DASH
