"""Labels: names beside dots, put where they do not lie on each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

LETTER = 0.56  # mean width of a letter, in font sizes
GAP = 6.0  # points between a dot and its name
SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
ALIGNED = {1: ("left", "bottom"), 0: ("center", "center"), -1: ("right", "top")}


@dataclass(frozen=True, slots=True)
class Label:
    across: float
    up: float
    text: str
    size: float
    look: dict[str, Any]


def place(drawn: Figure, axes: Axes, labels: Sequence[Label]) -> None:
    """Each on the first side of its dot that is free of earlier names and of all dots; limits must be set."""
    drawn.draw_without_rendering()  # only once it is laid out are the places of dots known
    points_per_pixel = 72 / drawn.dpi
    dots = axes.transData.transform([(one.across, one.up) for one in labels]) * points_per_pixel
    frame = np.array(axes.get_window_extent().extents) * points_per_pixel
    taken = [np.array([*(dot - 4), *(dot + 4)]) for dot in dots]
    for one, dot in zip(labels, dots, strict=True):
        boxes = [_box(one, dot, side) for side in SIDES]
        costs = [sum(_overlap(box, other) for other in taken) + 3 * _outside(box, frame) for box in boxes]
        best = int(np.argmin(costs))
        taken.append(boxes[best])
        right, above = SIDES[best]
        offset = (GAP * right, GAP * above if not right else GAP * above / 2)
        look: dict[str, Any] = one.look | {"ha": ALIGNED[right][0], "va": ALIGNED[above][1], "fontsize": one.size}
        axes.annotate(one.text, (one.across, one.up), offset, textcoords="offset points", **look)


def _box(one: Label, dot: NDArray[np.float64], side: tuple[int, int]) -> NDArray[np.float64]:
    """Left, bottom, right, top in points."""
    size = np.array([len(one.text) * one.size * LETTER, one.size * 1.2])
    middle = dot + np.array(side) * (GAP + size / 2)
    return np.concatenate([middle - size / 2, middle + size / 2])


def _overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.prod(np.maximum(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0)))


def _outside(box: NDArray[np.float64], frame: NDArray[np.float64]) -> float:
    return float(np.prod(box[2:] - box[:2])) - _overlap(box, frame)
