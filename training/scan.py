"""Scan: what one pass over the log learns, in memory that does not grow with its length."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from model.contract.features.categories import Categories
from model.contract.features.discrete import Discrete
from model.contract.features.history import History
from model.contract.features.interface import Feature, Side
from model.contract.features.number import Number
from training.columns import as_lists
from training.joined import JoinedTable

COUNT = "__count"
# Values from which scales, quantiles and means are taken: enough for a quantile, and bounded memory.
LARGEST_SAMPLE = 1_000_000
FEWEST_FOLDED, MORE_FOLDED = 100_000, 2  # rows, and how many times those there are, that are worth the while
ENTITY_SIDES = (Side.USER, Side.CANDIDATE)


@dataclass(frozen=True, slots=True)
class Scan:
    """`counts[column]` says of every value how many training impressions have it, as COUNT: values of categories that
    impressions have themselves, and ids of users and videos. `samples[column, length]` is that column of training
    impressions at equal distances, as many as hold LARGEST_SAMPLE items of lists of that length. `last[side]` has every
    user or video that was logged, as its last impression has it.
    """

    counts: dict[str, pl.DataFrame]
    samples: dict[tuple[str, int], pl.DataFrame]
    last: dict[Side, pl.DataFrame]


def scan(joined: JoinedTable, is_train: pl.Expr, num_train: int) -> Scan:
    """`num_train` is how many rows `is_train` holds for."""
    keys = {side: joined.entity_key(side) for side in ENTITY_SIDES}
    entities = {side: _Folded(_together(key)) for side, key in keys.items()}
    counts = {name: _Folded(_together(name)) for name in _counted(joined) - joined.ids}
    samples: dict[tuple[str, int], list[pl.DataFrame]] = {sample_key(joined, one): [] for one in sampled(joined)}
    seen = 0
    for batch in joined.logged():
        train = batch.filter(is_train)
        values = [train.lazy().select(_values(joined, name)) for name in counts]
        parts = pl.collect_all([one.group_by(pl.all()).len(COUNT) for one in values])
        for name, part in zip(counts, parts, strict=True):
            counts[name].add(part)
        for side, key in keys.items():
            rows = batch.select(*joined.logged_of(side), is_train.cast(pl.UInt32).alias(COUNT))
            entities[side].add(_together(key)(rows.filter(pl.col(key).is_not_null())))
        for (column, length), drawn in samples.items():
            every = max(1, -(-num_train * length // LARGEST_SAMPLE))
            drawn.append(train.select(column).gather_every(every, -seen % every))
        seen += train.height
    found = {side: one.result() for side, one in entities.items()}
    return Scan(
        {name: one.result() for name, one in counts.items()}
        | {keys[side]: one.select(keys[side], COUNT) for side, one in found.items()},
        {key: pl.concat(parts) for key, parts in samples.items()},
        {side: one.drop(COUNT) for side, one in found.items()},
    )


def _counted(joined: JoinedTable) -> set[str]:
    owners = [one for one in joined.schema.columns.values() if isinstance(one, Discrete) and one.shares is None]
    return {_seen_as(joined, one) for one in owners}


def sampled(joined: JoinedTable) -> list[Number | History]:
    return [one for one in joined.schema.columns.values() if isinstance(one, Number | History)]


def sample_key(joined: JoinedTable, feature: Number | History) -> tuple[str, int]:
    """Where `Scan.samples` has what this feature is fitted to."""
    return _seen_as(joined, feature), feature.length if isinstance(feature, History) else 1


def _seen_as(joined: JoinedTable, feature: Feature) -> str:
    """The column of impressions that tells a feature: of an entity's it is enough to know which entity it is."""
    owner = joined.owner(feature.name)
    return owner.key if owner else feature.name


def _values(joined: JoinedTable, name: str) -> pl.Expr:
    if isinstance(joined.schema.columns.get(name), Categories):
        return as_lists(name, joined.types[name]).explode()
    return pl.col(name)


def _together(key: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Rows of one key become one: counts are added up, of everything else the last is taken."""
    return lambda rows: rows.group_by(key).agg(pl.col(COUNT).sum(), pl.exclude(COUNT).last())


class _Folded:
    """Parts that become one, a few at a time: never many more rows than there will be in the end."""

    def __init__(self, fold: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        self.fold, self.parts = fold, list[pl.DataFrame]()

    def add(self, part: pl.DataFrame) -> None:
        self.parts.append(part)
        whole, *more = (one.height for one in self.parts)
        if sum(more) > MORE_FOLDED * max(whole, FEWEST_FOLDED):
            self.parts = [self.result()]

    def result(self) -> pl.DataFrame:
        return self.fold(pl.concat(self.parts))
