"""Draws support: quality for new users by how much of their past the ranker is shown."""

import numpy as np

from training.evidence.support import SupportCurve, TaskSupport
from training.metrics import METRICS, metric_name
from training.report.exhibit import Exhibit, Picture, Width
from training.report.style import QUIET, colors_of, new_figure, picture


def draw(curve: SupportCurve) -> Exhibit:
    colors = colors_of([one.task.name for one in curve.tasks])
    reached = ", ".join(
        f"{count:,} have {support}" for support, count in zip(curve.supports[1:], curve.reached[1:], strict=True)
    )
    return Exhibit(
        f"""How well {curve.num_users:,} users that training never met ({curve.num_rows:,} rows) are predicted when the
        ranker is shown only their newest interactions, the same rows everywhere; the dashed line is none at all. A
        curve that rises is a ranker that learns who somebody is from what they did; a flat one ignores history. The
        band is the 95% interval of the gain over no history.""",
        [_curve(one, curve.supports, colors[one.task.name]) for one in curve.tasks],
        notes=[f"Of these users {reached} interactions or more."],
    )


def _curve(one: TaskSupport, supports: tuple[int, ...], color: str) -> Picture:
    direction = METRICS[one.task.kind][one.metric].direction
    places, nothing = np.arange(len(supports)), one.values[0].value
    drawn = new_figure(Width.THIRD, 2.75)
    axes = drawn.add_subplot()
    low, high = (np.array([nothing + direction * getattr(gain, end) for gain in one.gains]) for end in ("low", "high"))
    axes.fill_between(places, low, high, color=color, alpha=0.15, lw=0)
    axes.axhline(nothing, color=QUIET, lw=1, ls=(0, (4, 3)))
    axes.plot(places, [value.value for value in one.values], "o-", ms=4, color=color)
    if direction < 0:
        axes.invert_yaxis()  # up is better everywhere
    axes.set_xticks(places, [str(support) for support in supports])
    axes.set_xlabel("interactions shown")
    axes.set_ylabel(metric_name(one.metric) + (", up is better" if direction < 0 else ""))
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.set_title(one.task.name)
    said = ", ".join(f"{value.value:.4f} with {support}" for support, value in zip(supports, one.values, strict=True))
    return picture(
        drawn, f"support-{one.task.name}", f"{one.task.name}, {one.metric} by interactions shown: {said}", Width.THIRD
    )
