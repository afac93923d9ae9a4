"""Assignment: into which split each row of the log falls, and how many rows each split has."""

from dataclasses import dataclass

import polars as pl

from model.contract.mistakes import mistake
from model.contract.schema import FeatureSchema
from training.joined import ROW, JoinedTable
from training.splits import NAMES, TRAIN, Split

# Of valid and test, whose predictions are held in memory: enough for an AUC to be right to the third decimal.
LARGEST_EVALUATED = 1_000_000
SEED = 8_191  # of the part of users that is evaluated: not that of a split which is random itself


@dataclass(frozen=True, slots=True)
class Assignment:
    """`index` into NAMES of each row, null where it is left out; how many rows each split has, and the log."""

    index: pl.Expr
    sizes: tuple[int, ...]
    num_rows: int


def assign(joined: JoinedTable, split: Split) -> Assignment:
    """Of a valid or test split of more than LARGEST_EVALUATED rows, the rows of a random part of its users, about that
    many. Raises InputError where a split is empty, or a row in none.
    """
    index = split.assign(joined.types[split.column])
    *sizes, unknown = _sizes(joined, index)
    where = f"{joined.table.source}: column `{split.column}`"
    if unknown:
        raise mistake(where, "a value in every row, to split by", f"{unknown} rows without")
    for name, size in zip(NAMES, sizes, strict=True):
        if not size:
            raise mistake(where, f"rows in the {name} split", "none")
    num_rows, largest = sum(sizes), max(sizes[1:])
    for at, size in enumerate(sizes):
        if NAMES[at] != TRAIN and size > LARGEST_EVALUATED:
            evaluated = user_of(joined.schema).hash(SEED) % -(-size // LARGEST_EVALUATED) == 0
            index = pl.when((index != at) | evaluated).then(index)
    if largest > LARGEST_EVALUATED:
        *sizes, _ = _sizes(joined, index)
    return Assignment(index, tuple(sizes), num_rows)


def user_of(schema: FeatureSchema) -> pl.Expr:
    """Where there is no id every row is its own user."""
    return pl.coalesce(pl.col(schema.keys.user).cast(pl.String), pl.format("no id, row {}", ROW))


def _sizes(joined: JoinedTable, index: pl.Expr) -> tuple[int, ...]:
    rows = joined.table.impressions.select(joined.kept).with_row_index(ROW)
    counts = dict(rows.group_by(index.alias("split")).len().collect(engine="streaming").iter_rows())
    return tuple(counts.get(at, 0) for at in (*range(len(NAMES)), None))
