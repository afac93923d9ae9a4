"""The picture of a sweep: tasks against each other, the front, and where the policies stand."""

from itertools import combinations
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from model.contract.combination import Combination
from model.contract.durable import write_durably
from training.replay.replay import Replay
from training.report.style import INK, PALETTE, PNG_DPI, style

PANEL_INCHES, NUM_COLUMNS, MOST_PANELS = 3.1, 3, 10
SWEPT = {Combination.WEIGHTED_SUM: PALETTE[5], Combination.WEIGHTED_PRODUCT: PALETTE[4]}
MARKERS = "oDs^vPXp"


def draw_front(replayed: Replay, units: dict[str, str | None], path: Path) -> None:
    """Write a PNG to `path`, whole or not at all; `units` by task. With many tasks each is drawn against the first."""
    with style():
        figure = _figure(replayed, units)
        write_durably(path, lambda beside: figure.savefig(beside, format="png", dpi=PNG_DPI))


def _figure(replayed: Replay, units: dict[str, str | None]) -> Figure:
    tasks = replayed.front.tasks
    pairs = list(combinations(range(len(tasks)), 2)) or [(0, 0)]
    if len(pairs) > MOST_PANELS:
        pairs = [(0, other) for other in range(1, len(tasks))]
    columns = min(NUM_COLUMNS, len(pairs))
    rows = -(-len(pairs) // columns)
    figure = Figure(figsize=(columns * PANEL_INCHES, rows * PANEL_INCHES + 0.9))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    labels = [f"{task} ({units[task]})" if units[task] else task for task in tasks]
    for panel, (across, up) in zip(panels, pairs, strict=False):
        _draw_panel(panel, replayed, across, up)
        panel.set_xlabel(labels[across])
        panel.set_ylabel(labels[up])
    for panel in panels[len(pairs) :]:
        panel.set_axis_off()
    seen = f"{replayed.front.num_lists:,} requests of {replayed.asked.split}"
    figure.suptitle(f"Mean prediction of the first {replayed.asked.top_k} places, {seen}")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=min(len(names), 4))
    return figure


def _draw_panel(panel: Axes, replayed: Replay, across: int, up: int) -> None:
    front = replayed.front
    for combination, color in SWEPT.items():
        mine = np.array([one.combination is combination for one in front.swept])
        for place, some, alpha in (("dominated", ~front.on_front, 0.25), ("on the front", front.on_front, 0.9)):
            x, y = front.values[mine & some][:, [across, up]].T
            panel.scatter(x, y, s=9, color=color, alpha=alpha, linewidths=0, label=f"{combination}, {place}")
    for at, (name, one) in enumerate(front.standings.items()):
        marker, color = MARKERS[at % len(MARKERS)], PALETTE[at % 4]
        x, y = one.values[[across, up]]
        panel.scatter(x, y, s=60, color=color, marker=marker, edgecolors=INK, zorder=3, label=name)
    x, y = front.reference[[across, up]]
    panel.scatter(x, y, s=130, color="white", marker="*", edgecolors=INK, zorder=3, label=replayed.reference)
    panel.locator_params(axis="x", nbins=5)
