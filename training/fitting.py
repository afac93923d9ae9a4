"""Fitting: what encoding learns from the training split: vocabularies, scalers, mean outcomes."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from model.contract.features.categories import Categories
from model.contract.features.discrete import Discrete
from model.contract.features.history import History
from model.contract.features.interface import Fitted
from model.contract.features.number import Number
from model.contract.scaling import Scaler
from model.contract.schema import FeatureSchema
from model.contract.vocabulary import Vocabulary
from training.columns import histories, numbers, string_lists, strings

LARGEST_SAMPLE = 1_000_000  # rows from which scales and quantiles are taken: enough for a quantile, and bounded memory


def fit(schema: FeatureSchema, train: pl.LazyFrame, num_rows: int) -> Fitted:
    """`train` holds the joined columns of the training split and nothing else."""
    every = max(1, -(-num_rows // LARGEST_SAMPLE))
    features = schema.columns.values()
    owners = [one for one in features if isinstance(one, Discrete) and one.shares is None]
    return Fitted(
        {one.name: _vocabulary(one, train) for one in owners},
        {one.name: _scaler(one, train, every) for one in features if isinstance(one, Number)},
        {name: _outcome_means(one, train, every) for name, one in schema.histories.items()},
    )


def _vocabulary(feature: Discrete, train: pl.LazyFrame) -> Vocabulary:
    """The values that at least `min_count` training impressions have."""
    values = train.select(feature.name)
    if isinstance(feature, Categories):
        listed = values.collect()[feature.name]
        counts: Mapping[str | None, int] = _counts(string_lists(listed).flat.distinct, string_lists(listed).flat.index)
    else:
        frame = values.group_by(feature.name).len().collect()
        names, sizes = strings(frame[feature.name]), frame["len"].to_list()
        counts = {names.distinct[at]: size for at, size in zip(names.index, sizes, strict=True)}
    return Vocabulary.of(value for value, count in counts.items() if value and count >= feature.min_count)


def _counts(distinct: Sequence[str | None], index: np.ndarray) -> dict[str | None, int]:
    return dict(zip(distinct, np.bincount(index, minlength=len(distinct)).tolist(), strict=True))


def _scaler(feature: Number, train: pl.LazyFrame, every: int) -> Scaler:
    sample = train.select(pl.col(feature.name).gather_every(every)).collect()[feature.name]
    return Scaler.fit(numbers(sample).values, feature.transform, feature.bins)


def _outcome_means(feature: History, train: pl.LazyFrame, every: int) -> tuple[float, ...]:
    sample = train.select(pl.col(feature.name).gather_every(every)).collect()[feature.name]
    outcomes = histories(sample, feature).outcomes
    known = [column[~np.isnan(column)] for column in outcomes.T]
    return tuple(float(column.mean(dtype=np.float64)) if len(column) else 0.0 for column in known)
