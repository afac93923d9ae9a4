"""Drawing: a panel for each thing that grows, its costs against its size."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from benchmarks.scaling.costs import Costs

NUM_COLUMNS, WIDTH, HEIGHT, DPI = 3, 3.8, 3.0, 110


def draw(by_thing: Mapping[str, Mapping[int, Costs]], path: Path) -> None:
    """Each curve is relative to its smallest size, whose cost in its own unit the legend tells: what is flat, what is
    proportional and what is worse (above the dashed line) shows at a glance, whatever is measured.
    """
    num_rows = -(-len(by_thing) // NUM_COLUMNS)
    figure = Figure(figsize=(WIDTH * NUM_COLUMNS, HEIGHT * num_rows), layout="constrained")
    panels = figure.subplots(num_rows, NUM_COLUMNS, squeeze=False).flatten()
    for axes, (thing, by_size) in zip(panels, by_thing.items(), strict=False):
        _panel(axes, thing, by_size)
    for axes in panels[len(by_thing) :]:
        axes.remove()
    figure.savefig(path, dpi=DPI)


def _panel(axes: Axes, thing: str, by_size: Mapping[int, Costs]) -> None:
    sizes = sorted(by_size)
    first = by_size[sizes[0]]
    for name, least in first.items():
        relative = [by_size[size][name] / least for size in sizes]
        axes.plot(sizes, relative, marker="o", markersize=3, label=f"{name}: from {least:.3g}")
    highest = axes.get_ylim()[1]
    axes.plot(sizes, [size / sizes[0] for size in sizes], linestyle="--", color="0.7", linewidth=1, zorder=0)
    axes.set(xscale="log", yscale="log", xlabel=thing, ylabel="times the first", ylim=(0.5, max(3 * highest, 4)))
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=30, ha="right", fontsize=7)
    axes.yaxis.set_major_formatter("{x:g}")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
    axes.legend(fontsize=7, framealpha=1, edgecolor="none", loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)
