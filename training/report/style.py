"""Style: one look for all pictures: type, lines, and colours that everybody can tell apart."""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from matplotlib import font_manager, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.report.exhibit import Picture, Width

INK, QUIET, LINE, FAINT = "#1b222b", "#66717e", "#d5dbe1", "#eef1f4"
GOOD, BAD, ORDINARY, NEUTRAL = "#0072b2", "#d55e00", "#4a5568", "#8a949f"
# Okabe and Ito (2008): told apart with every kind of colour vision; the last two are ours.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5c3e", "#4a5568")
SIZES = {Width.THIRD: 3.1, Width.HALF: 4.5}  # inches
PNG_DPI = 160
LATIN = ("Inter", "Helvetica Neue", "Helvetica", "Arial", "Liberation Sans", "DejaVu Sans")
FONTS = (*LATIN, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC")  # the first one installed that has the letter


SETTINGS: dict[str, Any] = {
    "font.size": 8.5,
    "text.color": INK,
    "text.parse_math": False,  # a dollar in a name is a dollar
    "axes.labelcolor": QUIET,
    "axes.edgecolor": LINE,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": QUIET,
    "ytick.labelcolor": QUIET,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "lines.linewidth": 1.6,
    "svg.fonttype": "path",
    "svg.hashsalt": "watchnext",
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.constrained_layout.h_pad": 0.08,
}


@contextmanager
def style() -> Iterator[None]:
    """Draw and save within it."""
    installed = {one.name for one in font_manager.fontManager.ttflist}
    settings: dict[Any, Any] = {"font.family": [name for name in FONTS if name in installed]}
    with rc_context(settings | SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a value in a script that no font here has
        yield


def new_figure(width: Width, height: float) -> Figure:
    return Figure(figsize=(SIZES[width], height))


def picture(drawn: Figure, name: str, shows: str, width: Width) -> Picture:
    """SVG for the page, sharp at any size; PNG for slides and mails."""
    svg, png = io.BytesIO(), io.BytesIO()
    drawn.savefig(svg, format="svg", metadata={"Date": None})
    drawn.set_layout_engine("none")  # it is laid out by now
    drawn.savefig(png, format="png", dpi=PNG_DPI)
    return Picture(re.sub(r"[^\w.-]+", "-", name), shows, svg.getvalue(), png.getvalue(), width)


def colors_of(names: Sequence[str]) -> dict[str, str]:
    return {name: PALETTE[at % len(PALETTE)] for at, name in enumerate(names)}


def bare(axes: Axes, *sides: str) -> None:
    """No line, no marks on these sides: where the drawing itself says where it ends."""
    for side in sides:
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
