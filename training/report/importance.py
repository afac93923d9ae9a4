"""Draws importance: the most useful features of each task."""

from collections.abc import Sequence

from matplotlib.patches import Patch

from model.contract.features.interface import Side
from training.evidence.draws import Interval
from training.evidence.importance import Importance
from training.metrics import metric_name
from training.report.exhibit import Exhibit, Picture, Width
from training.report.style import INK, PALETTE, QUIET, bare, new_figure, picture

NUM_SHOWN = 10
SIDES = dict(zip((Side.USER, Side.CANDIDATE, Side.PAIR, Side.CONTEXT, Side.QUERY), PALETTE, strict=False))


def draw(importance: Importance) -> Exhibit:
    idle = ", ".join(importance.idle)
    return Exhibit(
        f"""What each task loses when a feature is shuffled among {importance.num_rows:,} validation rows:
        longer is more useful; whiskers are 95% intervals. One feature far above all others deserves a
        second look: it may know the label. Features that say the same share what they are worth.""",
        [_bars(task, importance) for task in importance.drops if importance.known(task)],
        notes=[f"No task was surely worse without: {idle}."] if idle else [],
    )


def _bars(task: str, importance: Importance) -> Picture:
    drops = sorted(importance.drops[task].items(), key=lambda item: -item[1].value)[:NUM_SHOWN]
    drawn = new_figure(Width.HALF, 0.8 + 0.23 * len(drops))
    axes = drawn.add_subplot()
    for row, (name, drop) in enumerate(drops):
        color = SIDES[importance.sides[name]]
        axes.barh(row, drop.value, height=0.62, color=color, alpha=0.85 if drop.low > 0 else 0.3)
        axes.plot([drop.low, drop.high], [row, row], color=INK, lw=0.9, alpha=0.7)
    axes.axvline(0, color=QUIET, lw=0.8)
    axes.set_yticks(range(len(drops)), [name for name, _ in drops], color=INK, fontsize=7.5)
    axes.set_ylim(len(drops) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(f"{metric_name(importance.metrics[task])} lost when shuffled")
    axes.set_title(task)
    bare(axes, "left")
    sides = [side for side in SIDES if side in {importance.sides[name] for name, _ in drops}]
    axes.legend(handles=[Patch(color=SIDES[side], label=side.value, alpha=0.85) for side in sides], loc="lower right")
    return picture(drawn, f"importance-{task}", _said(task, drops), Width.HALF)


def _said(task: str, drops: Sequence[tuple[str, Interval]]) -> str:
    return f"{task}, most useful features: " + ", ".join(f"{name} {drop.value:.4f}" for name, drop in drops[:5])
