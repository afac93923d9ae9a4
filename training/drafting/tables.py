"""Tables: bounded samples of the impressions, users and videos that a config is drafted from."""

from dataclasses import dataclass

import polars as pl

from model.contract.mistakes import mistake
from training.joined import ROW
from training.readers.interface import scan
from training.sample import spread

LARGEST_SAMPLE = 200_000
LARGEST_NESTED_SAMPLE = 50_000  # where rows hold vectors or histories


@dataclass(frozen=True, slots=True)
class SampledTable:
    """`pattern` is what the user called it; `frame` holds some of its `num_rows` rows."""

    pattern: str
    frame: pl.DataFrame
    num_rows: int

    def with_text_id(self, key: str) -> "SampledTable":
        return SampledTable(self.pattern, self.frame.with_columns(pl.col(key).cast(pl.String)), self.num_rows)


@dataclass(frozen=True, slots=True)
class Tables:
    impressions: SampledTable
    users: SampledTable | None
    videos: SampledTable | None


def open_tables(impressions: str, users: str | None, videos: str | None) -> Tables:
    """Raises InputError for what is missing, unreadable or empty."""
    return Tables(_open(impressions), _open(users) if users else None, _open(videos) if videos else None)


def _open(pattern: str) -> SampledTable:
    _, lazy = scan(pattern)
    try:
        nested = any(kind.is_nested() for kind in lazy.collect_schema().dtypes())
        sample = spread(lazy, LARGEST_NESTED_SAMPLE if nested else LARGEST_SAMPLE)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise mistake(pattern, "a readable table", str(error).splitlines()[0]) from error
    if not sample.num_rows:
        raise mistake(pattern, "a table with rows", "none")
    return SampledTable(pattern, sample.frame.drop(ROW), sample.num_rows)
