"""Draws position: each task's prediction by the place where the same videos are shown."""

import numpy as np

from training.evidence.position import EVERYWHERE, Curve, PositionEffect
from training.report.exhibit import Exhibit, Picture, Width
from training.report.style import INK, NEUTRAL, PALETTE, QUIET, new_figure, picture


def draw(effect: PositionEffect) -> Exhibit:
    crossed = f" Thin lines are values of {effect.crossed}." if effect.crossed else ""
    return Exhibit(
        f"""The same test rows put at every {effect.feature} in turn: the thick line is what the bias tower puts down to
        the place alone.{crossed} Grey dots are the labels logged at each place, merit and place together; the dashed
        line is the mean prediction as served, no place known. A flat line under steep dots: the bias went into the
        ranker. A line steeper than the dots: merit went into the tower.""",
        [_curve(task, curve, effect) for task, curve in effect.curves.items()],
    )


def _curve(task: str, curve: Curve, effect: PositionEffect) -> Picture:
    drawn = new_figure(Width.THIRD, 2.9)
    axes = drawn.add_subplot()
    places = np.arange(len(effect.values))
    axes.plot(places, curve.logged, "o", ms=3.5, color=NEUTRAL, label="logged")
    axes.axhline(curve.served, color=QUIET, lw=1, ls=(0, (4, 3)))
    names = [name for name in curve.lines if name != EVERYWHERE]
    for name, color in zip(names, PALETTE[1:], strict=False):
        axes.plot(places, curve.lines[name], lw=1, color=color, label=name)
    axes.plot(places, curve.lines[EVERYWHERE], lw=2.4, color=PALETTE[0], label="the place alone")
    if curve.lowest is not None:
        axes.set_ylim(curve.lowest, None)
    step = max(1, len(places) // 8)
    axes.set_xticks(places[::step], effect.values[::step])
    axes.set_xlabel(effect.feature)
    axes.set_ylabel("mean prediction")
    axes.set_title(task)
    drawn.legend(loc="outside lower center", ncols=3, handlelength=1.2, labelcolor=INK)
    first, last = curve.lines[EVERYWHERE][[0, -1]]
    shows = f"{task} by {effect.feature}: {first:.3g} at {effect.values[0]}, {last:.3g} at {effect.values[-1]}"
    return picture(drawn, f"position-{task}", shows, Width.THIRD)
