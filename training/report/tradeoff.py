"""Draws the trade-off: policies between two groups of tasks, and what each order gives to every task."""

from collections.abc import Sequence

from training.evaluation import NDCG_AT
from training.evidence.tradeoff import TradeOff
from training.report.exhibit import Cell, Exhibit, Picture, Table, Width, figure, spread
from training.report.labels import Label, place
from training.report.style import INK, LINE, NEUTRAL, QUIET, bare, colors_of, new_figure, picture


def draw(tradeoff: TradeOff) -> Exhibit:
    first, *others = tradeoff.groups
    return Exhibit(
        f"""What each policy's order is worth, on test: NDCG@{NDCG_AT} with a task's label as the gain, on the left the
        mean over each group of tasks. Light dots are other weights: a policy below and to the left of many of them
        gives something away for nothing. Grey squares order by one task alone.""",
        [*(_scatter(tradeoff, first, other) for other in others), _dots(tradeoff)],
        [_table(tradeoff)],
    )


def _scatter(tradeoff: TradeOff, across: str, up: str) -> Picture:
    drawn = new_figure(Width.HALF, 3.6)
    axes = drawn.add_subplot()
    left, right = tradeoff.groups.index(across), tradeoff.groups.index(up)
    axes.plot(tradeoff.swept[:, left], tradeoff.swept[:, right], "o", ms=3.5, color=LINE, mew=0)
    colors = colors_of(list(tradeoff.policies.by_group))
    labels = []
    for name, groups in tradeoff.policies.by_group.items():
        flat, steep = groups[across], groups[up]
        axes.plot([flat.low, flat.high], [steep.value] * 2, color=colors[name], lw=1, alpha=0.4)
        axes.plot([flat.value] * 2, [steep.low, steep.high], color=colors[name], lw=1, alpha=0.4)
        axes.plot(flat.value, steep.value, "o", ms=9, color=colors[name], mec="white", mew=1)
        labels.append(Label(flat.value, steep.value, name, 8.5, {"fontweight": "bold", "color": INK}))
    for name, groups in tradeoff.single.by_group.items():
        axes.plot(groups[across].value, groups[up].value, "s", ms=4, color=NEUTRAL)
        labels.append(Label(groups[across].value, groups[up].value, name, 7, {"color": QUIET}))
    axes.set_xlabel(f"{across} →")
    axes.set_ylabel(f"{up} →")
    axes.margins(0.1)
    axes.set_title(f"{across} against {up}")
    place(drawn, axes, labels)
    by_group = tradeoff.policies.by_group.items()
    said = "; ".join(f"{name}: {one[across].value:.3f}, {one[up].value:.3f}" for name, one in by_group)
    return picture(drawn, f"tradeoff-{across}-{up}", f"NDCG of {across} and of {up} by policy: {said}", Width.HALF)


def _dots(tradeoff: TradeOff) -> Picture:
    by_task = tradeoff.policies.by_task
    tasks = list(next(iter(by_task.values())))
    drawn = new_figure(Width.HALF, min(3.6, 1.2 + 0.2 * len(tasks) * (1 + len(by_task))))
    axes = drawn.add_subplot()
    step = 0.7 / len(by_task)
    for at, (name, color) in enumerate(colors_of(list(by_task)).items()):
        for row, task in enumerate(tasks):
            one, height = by_task[name][task], row + step * (at - (len(by_task) - 1) / 2)
            axes.plot([one.low, one.high], [height] * 2, color=color, lw=1.4, solid_capstyle="round")
            axes.plot(one.value, height, "o", ms=5, color=color, label=name if not row else None)
    axes.set_yticks(range(len(tasks)), tasks, color=INK)
    axes.set_ylim(len(tasks) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(f"NDCG@{NDCG_AT}")
    axes.set_title("by task")
    bare(axes, "left")
    drawn.legend(loc="outside lower center", ncols=4)
    said = "; ".join(
        f"{task}: " + ", ".join(f"{name} {by_task[name][task].value:.3f}" for name in by_task) for task in tasks
    )
    return picture(drawn, "tradeoff-tasks", f"NDCG of each task by policy: {said}", Width.HALF)


def _table(tradeoff: TradeOff) -> Table:
    by_task = tradeoff.policies.by_task
    tasks = list(next(iter(by_task.values())))
    best = {task: max(by_task, key=lambda name: by_task[name][task].value) for task in tasks}

    def cell(name: str, task: str) -> Cell:
        one = by_task[name][task]
        return Cell(figure(one.value), spread(one), "best" if best[task] == name and len(by_task) > 1 else "")

    rows: Sequence[Sequence[Cell]] = [[Cell(name), *(cell(name, task) for task in tasks)] for name in by_task]
    return Table(f"NDCG@{NDCG_AT} of each policy's order, by the label that is the gain", ("policy", *tasks), rows)
