"""Exhibit: what one section of the report consists of."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from training.evidence.draws import Interval


class Width(StrEnum):
    """How much of a row a picture takes on a laptop; on a phone every picture has a row of its own."""

    THIRD = "third"
    HALF = "half"


@dataclass(frozen=True, slots=True)
class Picture:
    """`name` is that of its PNG file; `shows` says in words what is to be seen, for who cannot see it."""

    name: str
    shows: str
    svg: bytes
    png: bytes
    width: Width


@dataclass(frozen=True, slots=True)
class Cell:
    """`under` is set small below `text`; `look` is a CSS class: good, bad, quiet, best."""

    text: str
    under: str = ""
    look: str = ""
    color: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The first `num_names` columns are names, set left; the others figures, set right."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    num_names: int = 1


@dataclass(frozen=True, slots=True)
class Exhibit:
    """`reading` says what is to be seen and what would be bad; `notes` what else there is to say."""

    reading: str
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()


DASH = "\u2013"


def figure(value: float) -> str:
    """A metric or a label as it is set in a table."""
    if not math.isfinite(value):
        return DASH
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.2f}" if abs(value) < 1000 else f"{value:,.0f}"


def spread(one: Interval) -> str:
    return f"{figure(one.low)} {DASH} {figure(one.high)}" if math.isfinite(one.low) else ""
