"""Draws slices: each task's main metric for parts of the test rows, the worst first."""

from training.evidence.slices import FEWEST_ROWS, SliceQuality, Slices, TaskSlices
from training.metrics import metric_name
from training.report.exhibit import Exhibit, Picture, Width
from training.report.style import BAD, FAINT, INK, LINE, ORDINARY, QUIET, bare, new_figure, picture

LONGEST_NAME, KEPT_AT_START = 36, 18


def draw(slices: Slices) -> Exhibit:
    return Exhibit(
        f"""The main metric of each task for parts of the test rows: on top, users and videos that training
        has or has not met; below, the parts by feature where the task does worst. The line is all test
        rows, the band its interval; orange is surely worse. New users or videos far on the wrong side
        mean that the ranker knows names instead of tastes. A part of a feature that itself separates
        the classes is harder by nature. Parts of fewer than {FEWEST_ROWS} rows are not shown.""",
        [_forest(one) for one in slices.tasks if one.known or one.worst],
    )


def _forest(one: TaskSlices) -> Picture:
    rows: list[SliceQuality | None] = [*one.known, *([None] if one.known and one.worst else []), *one.worst]
    drawn = new_figure(Width.HALF, 0.85 + 0.215 * len(rows))
    axes = drawn.add_subplot()
    axes.axvspan(one.overall.low, one.overall.high, color=FAINT, lw=0)
    axes.axvline(one.overall.value, color=QUIET, lw=1)
    right = axes.get_yaxis_transform()
    for at, part in enumerate(rows):
        if part is None:
            axes.axhline(at, color=LINE, lw=0.8)
            continue
        shade = BAD if one.lost(part) > 0 else ORDINARY
        axes.plot([part.metric.low, part.metric.high], [at, at], color=shade, lw=1.4, solid_capstyle="round")
        axes.plot(part.metric.value, at, "o", ms=4.5, color=shade)
        axes.text(1.02, at, f"{part.num_rows:,}", transform=right, va="center", fontsize=7, color=QUIET)
    axes.text(1.02, -1.05, "rows", transform=right, va="center", fontsize=7, color=QUIET)
    names = ["" if part is None else _short(part.name) for part in rows]
    axes.set_yticks(range(len(rows)), names, color=INK, fontsize=7.5)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    better = "more is better" if one.direction > 0 else "less is better"
    axes.set_xlabel(f"{metric_name(one.metric)}, {better}")
    axes.set_title(one.task.name)
    bare(axes, "left")
    worst = ", ".join(f"{part.name} {part.metric.value:.3f}" for part in one.worst[:3])
    shows = f"{one.task.name}, {one.metric} by slice; {one.overall.value:.3f} overall; worst: {worst}"
    return picture(drawn, f"slices-{one.task.name}", shows, Width.HALF)


def _short(name: str) -> str:
    """Without its middle where it is long: what tells slices of one feature apart comes last."""
    return name if len(name) <= LONGEST_NAME else f"{name[:KEPT_AT_START]}…{name[KEPT_AT_START + 1 - LONGEST_NAME :]}"
