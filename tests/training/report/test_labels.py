"""Labels: names beside dots do not lie on each other."""

from itertools import combinations

import numpy as np
from matplotlib.figure import Figure

from training.report.labels import Label, place


def test_names_do_not_lie_on_each_other() -> None:
    random = np.random.default_rng(0)
    drawn = Figure(figsize=(5, 4))
    axes = drawn.add_subplot()
    dots = [(float(across), float(up)) for across, up in random.random((9, 2))]
    axes.plot(*zip(*dots, strict=True), "o")
    place(drawn, axes, [Label(across, up, f"task number {at}", 8, {}) for at, (across, up) in enumerate(dots)])
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == 9
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
