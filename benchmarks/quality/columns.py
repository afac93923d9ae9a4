"""Columns: the impressions of each split as flat rows of raw values, which is what the other libraries read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from model.contract.features.categories import Categories
from model.contract.features.discrete import Discrete
from training.config import RunConfig
from training.dataset import Dataset
from training.readers.interface import ImpressionTable


@dataclass(frozen=True, slots=True)
class Columns:
    """One split, each array `[row]` in its order: `numbers` float64, NaN where missing; `categories` codes from 1, the
    same in every split, 0 where missing; `crossed` what this user met before of what this candidate is, as encoded.
    """

    numbers: Mapping[str, NDArray[np.float64]]
    categories: Mapping[str, NDArray[np.int32]]
    crossed: Mapping[str, NDArray[np.float64]]


def columns_of(config: RunConfig, dataset: Dataset) -> dict[str, Columns]:
    """All that the reader knows of users and videos, and those columns of impressions that the config has as features:
    no outcome, and no id of a user.
    """
    frame = _joined(config, config.read())
    text = [name for name, kind in frame.schema.items() if kind == pl.String or _is_category(config, name)]
    codes = {name: frame[name].cast(pl.String).cast(pl.Categorical).to_physical() for name in text}
    categories = {
        name: (one.cast(pl.Int32) + 1).fill_null(0).to_numpy() for name, one in codes.items() if one.n_unique() > 1
    }
    numbers = {
        name: frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in frame.columns if name not in text
    }
    return {
        name: Columns(
            {key: one[split.rows] for key, one in numbers.items()},
            {key: one[split.rows] for key, one in categories.items()},
            _crossed(config, split.arrays),
        )
        for name, split in dataset.splits.items()
    }


def _joined(config: RunConfig, table: ImpressionTable) -> pl.DataFrame:
    """Every impression with the columns of its user and video; a list becomes one column for each of its places."""
    keys, schema = config.data.keys, config.feature_schema
    logged = [name for name in table.impressions.collect_schema() if name in schema.columns]
    frame = table.impressions.select(*dict.fromkeys([keys.user, keys.video, *logged])).collect()
    for entities, key in ((table.users, keys.user), (table.videos, keys.video)):
        if entities is not None:
            frame = frame.join(entities, on=key, how="left", maintain_order="left")
    for name, one in schema.columns.items():
        if isinstance(one, Categories) and name in frame.columns:
            places = [pl.col(name).list.get(at, null_on_oob=True).alias(f"{name}-{at}") for at in range(one.length)]
            frame = frame.with_columns(places).drop(name)
    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]  # the history, which matches sum up
    return frame.drop(keys.user, *nested)


def _is_category(config: RunConfig, name: str) -> bool:
    return isinstance(config.feature_schema.columns.get(name), Discrete)


def _crossed(config: RunConfig, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float64]]:
    """The count and the rates of every match."""
    return {
        f"{name}-{at}": arrays[name][:, at].astype(np.float64)
        for name in config.feature_schema.matches
        for at in range(arrays[name].shape[1])
    }
