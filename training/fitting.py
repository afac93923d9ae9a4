"""Fitting: what encoding learns from the training split: vocabularies, scalers, mean outcomes."""

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
from training.columns import as_lists, histories, numbers, strings

# Values from which scales, quantiles and means are taken: enough for a quantile, and bounded memory.
LARGEST_SAMPLE = 1_000_000


def fit(schema: FeatureSchema, train: pl.LazyFrame, num_rows: int) -> Fitted:
    """`train` holds the joined columns of the training split and nothing else."""
    features = schema.columns.values()
    owners = [one for one in features if isinstance(one, Discrete) and one.shares is None]
    return Fitted(
        {one.name: _vocabulary(one, train) for one in owners},
        {one.name: _scaler(one, train, _every(num_rows)) for one in features if isinstance(one, Number)},
        {name: _outcome_means(one, train, _every(num_rows * one.length)) for name, one in schema.histories.items()},
    )


def _every(num_values: int) -> int:
    return max(1, -(-num_values // LARGEST_SAMPLE))


def _vocabulary(feature: Discrete, train: pl.LazyFrame) -> Vocabulary:
    """The values that at least `min_count` training impressions have."""
    values = train.select(feature.name)
    if isinstance(feature, Categories):
        values = values.select(as_lists(feature.name, values.collect_schema()[feature.name]).explode())
    frame = values.group_by(feature.name).len().filter(pl.col("len") >= feature.min_count).collect()
    return Vocabulary.of(value for value in strings(frame[feature.name]).distinct if value)


def _scaler(feature: Number, train: pl.LazyFrame, every: int) -> Scaler:
    sample = train.select(pl.col(feature.name).gather_every(every)).collect()[feature.name]
    return Scaler.fit(numbers(sample).values, feature.transform, feature.bins)


def _outcome_means(feature: History, train: pl.LazyFrame, every: int) -> tuple[float, ...]:
    sample = train.select(pl.col(feature.name).gather_every(every)).collect()[feature.name]
    outcomes = histories(sample, feature).outcomes
    known = [column[~np.isnan(column)] for column in outcomes.T]
    return tuple(float(column.mean(dtype=np.float64)) if len(column) else 0.0 for column in known)
