"""Findings: what a check says of a config and its data, and the table that shows it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import polars as pl
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from model.contract.mistakes import InputError, Mistake, quote

Level = Literal["error", "warning", "ok"]
STYLES: dict[Level, str] = {"error": "bold red", "warning": "yellow", "ok": "green"}  # in the order of the table


@dataclass(frozen=True, slots=True)
class Finding:
    """`error`: training refuses it, or learns nothing from it. `warning`: look at it. `ok`: a fact."""

    level: Level
    what: str
    where: str
    detail: str


def of_mistake(what: str, one: Mistake) -> Finding:
    hint = f"; did you mean `{one.nearest}`?" if one.nearest else ""
    return Finding("error", what, one.where, f"expected {one.expected}, found {one.found}{hint}")


def at(column: str) -> str:
    return f"column {quote(column)}"


@contextmanager
def as_errors(findings: list[Finding], what: str, where: str) -> Iterator[None]:
    """What is wrong with a user's data becomes findings instead of an exception."""
    try:
        yield
    except InputError as error:
        findings.extend(of_mistake(what, one) for one in error.mistakes)
    except (pl.exceptions.PolarsError, OSError) as error:
        findings.append(Finding("error", what, where, str(error).splitlines()[0]))


def render(findings: Sequence[Finding]) -> Table:
    """Errors first, then warnings, then what was found to be so."""
    counts = {level: sum(one.level == level for one in findings) for level in STYLES}
    table = Table(box=SIMPLE_HEAD, title=_summary(counts), title_justify="left", title_style="bold", pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("where", overflow="fold", max_width=34)
    table.add_column("found", overflow="fold")
    for level, style in STYLES.items():
        for one in findings:
            if one.level == level:
                # Text, not markup: `[1, 5]` and the like are to be shown.
                table.add_row(Text(level, style), Text(one.what), Text(one.where), Text(one.detail))
        table.add_section()
    return table


def _summary(counts: dict[Level, int]) -> str:
    def plural(level: Level) -> str:
        return f"{counts[level]} {level}{'s' * (counts[level] != 1)}"

    return f"{plural('error')}, {plural('warning')}"
