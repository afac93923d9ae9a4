"""Sections: the exhibits in the order of the page, each with where its evidence comes from and who draws it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from training.evidence import experts as experts_evidence
from training.evidence import gains as gains_evidence
from training.evidence import importance as importance_evidence
from training.evidence import learning as learning_evidence
from training.evidence import position as position_evidence
from training.evidence import quality as quality_evidence
from training.evidence import reliability as reliability_evidence
from training.evidence import serving as serving_evidence
from training.evidence import slices as slices_evidence
from training.evidence import support as support_evidence
from training.evidence import tradeoff as tradeoff_evidence
from training.evidence.subject import Alarm, Subject
from training.report import (
    experts,
    gains,
    importance,
    learning,
    position,
    quality,
    reliability,
    serving,
    slices,
    support,
    tradeoff,
)
from training.report.exhibit import Exhibit


class Evidence(Protocol):
    @property
    def alarms(self) -> Iterable[Alarm]: ...


@dataclass(frozen=True, slots=True)
class Section:
    """`measure` raises Absent where there is nothing to show; `draw` takes what it returns."""

    key: str
    title: str
    measure: Callable[[Subject], Evidence]
    draw: Callable[[Any], Exhibit]


SECTIONS: Sequence[Section] = (
    Section("quality", "Quality", quality_evidence.measure, quality.draw),
    Section("reliability", "Reliability", reliability_evidence.measure, reliability.draw),
    Section("tradeoff", "Policies", tradeoff_evidence.measure, tradeoff.draw),
    Section("slices", "Slices", slices_evidence.measure, slices.draw),
    Section("support", "New users", support_evidence.measure, support.draw),
    Section("importance", "Features", importance_evidence.measure, importance.draw),
    Section("position", "Position bias", position_evidence.measure, position.draw),
    Section("experts", "Experts", experts_evidence.measure, experts.draw),
    Section("gains", "Sharing", gains_evidence.measure, gains.draw),
    Section("serving", "Precision", serving_evidence.measure, serving.draw),
    Section("learning", "Learning curves", learning_evidence.measure, learning.draw),
)
