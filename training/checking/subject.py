"""Subject: the config and the opened tables that a check looks at."""

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from training.config import RunConfig
from training.joined import JoinedTable
from training.moments import find_moments
from training.splits import NAMES

PEEK_ROWS = 1_000


@dataclass(frozen=True)
class Subject:
    """`which` is the index of a row's split in NAMES; it reads the column of the split alone."""

    config: RunConfig
    joined: JoinedTable
    which: pl.Expr

    @property
    def source(self) -> str:
        return self.joined.table.source

    @property
    def impressions(self) -> pl.LazyFrame:
        """Every column of the log."""
        return self.joined.table.impressions

    @cached_property
    def moments(self) -> list[str]:
        """Columns of the log that tell when, whether the config names them or not."""
        return [one.column for one in find_moments(self.impressions.head(PEEK_ROWS).collect())]

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Rows by split; those that are in none are under an empty name."""
        counted = self.impressions.select(which=self.which).group_by("which").len().collect()
        counts = dict(counted.iter_rows())
        none = {"": counts[None]} if counts.get(None) else {}
        return {name: counts.get(at, 0) for at, name in enumerate(NAMES)} | none
