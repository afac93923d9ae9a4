"""Fitting: what encoding learns from the training split: vocabularies, scalers, mean outcomes."""

import numpy as np
import polars as pl

from model.contract.features.categories import Categories
from model.contract.features.discrete import Discrete
from model.contract.features.history import History
from model.contract.features.interface import Fitted
from model.contract.features.number import Number
from model.contract.scaling import Scaler
from model.contract.vocabulary import Vocabulary
from training.columns import as_lists, histories, numbers, strings
from training.joined import JoinedTable
from training.scan import COUNT, Scan, sample_key, sampled


def fit(joined: JoinedTable, scan: Scan) -> Fitted:
    features = joined.schema.columns.values()
    owners = [one for one in features if isinstance(one, Discrete) and one.shares is None]
    scalers: dict[str, Scaler] = {}
    means: dict[str, tuple[float, ...]] = {}
    for key, sample in scan.samples.items():
        fitted = [one for one in sampled(joined) if sample_key(joined, one) == key]
        columns = joined.columns([one.name for one in fitted], sample)
        for one in fitted:
            if isinstance(one, Number):
                scalers[one.name] = Scaler.fit(numbers(columns[one.name]).values, one.transform, one.bins)
            else:
                means[one.name] = _outcome_means(one, columns[one.name])
    return Fitted({one.name: _vocabulary(one, joined, scan) for one in owners}, scalers, means)


def _vocabulary(feature: Discrete, joined: JoinedTable, scan: Scan) -> Vocabulary:
    """The values that at least `min_count` training impressions have."""
    name, owner = feature.name, joined.owner(feature.name)
    counts = scan.counts[owner.key if owner else name]
    if owner:
        counts = owner.frame.select(owner.key, name).join(counts, on=owner.key).select(name, COUNT)
    if isinstance(feature, Categories) and (owner or name in joined.ids):  # else counted item by item
        counts = counts.with_columns(as_lists(name, counts.schema[name])).explode(name)
    counts = counts.group_by(name).agg(pl.col(COUNT).sum())
    often = counts.filter(pl.col(COUNT) >= feature.min_count)
    return Vocabulary.of([value for value in strings(often[name]).distinct if value])


def _outcome_means(feature: History, sample: pl.Series) -> tuple[float, ...]:
    outcomes = histories(sample, feature).outcomes
    known = [column[~np.isnan(column)] for column in outcomes.T]
    return tuple(float(column.mean(dtype=np.float64)) if len(column) else 0.0 for column in known)
