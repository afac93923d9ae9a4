"""Scaling: every curve is drawn, relative to its smallest size."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pytest import MonkeyPatch

from benchmarks.scaling.drawing import draw


def test_a_panel_for_each_thing_and_a_curve_for_each_cost(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    drawn: list[Axes] = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *given, **more: (drawn.extend(self.axes), save(self, *given)))
    draw({"tasks": {2: {"s": 3.0, "MB": 5.0}, 8: {"s": 6.0, "MB": 5.0}}, "rows": {10: {"s": 1.0}}}, tmp_path / "a.png")
    tasks, rows = drawn
    assert [list(line.get_ydata()) for line in tasks.lines] == [[1, 2], [1, 1], [1, 4]]  # the last is proportional
    assert [line.get_label() for line in tasks.lines[:2]] == ["s: from 3", "MB: from 5"]
    assert rows.get_xlabel() == "rows" and (tmp_path / "a.png").stat().st_size > 1_000
