"""Slicing: parts of a split that are worth a look by themselves: who is new, who is active, each value of a feature."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from model.calibration import INVERSES
from model.contract.features.discrete import Discrete
from model.contract.features.history import History
from model.contract.features.interface import Feature, Side
from model.contract.features.match import Match
from model.contract.features.number import Number
from model.contract.scaling import Scaler
from model.contract.vocabulary import NUM_RESERVED, UNKNOWN
from training.dataset import Dataset, Preparation, SplitData
from training.evidence.subject import values_of
from training.joined import ROW
from training.splits import NAMES, TRAIN

Rows = NDArray[np.bool_]
LARGEST_VOCABULARY = 32
NUM_PARTS = 4


@dataclass(frozen=True, slots=True)
class Slice:
    """`rows` `[row]` of a split; `name` says of what."""

    name: str
    rows: Rows


def newness(preparation: Preparation, dataset: Dataset, split: SplitData) -> Iterator[Slice]:
    """Users and videos that training has met and has not, and quartiles of how often it met the user."""
    train = dataset.splits[TRAIN]
    users, counts = np.unique(train.users, return_counts=True)
    at = np.minimum(np.searchsorted(users, split.users), len(users) - 1)
    met = np.where(users[at] == split.users, counts[at], 0)
    yield Slice("new users", met == 0)
    yield Slice("known users", met > 0)
    for low, high, rows in quartiles(met, met > 0):
        yield Slice(f"users met {_span(low, high)} times", rows)
    known = _known_videos(preparation, split)
    yield Slice("new videos", ~known)
    yield Slice("known videos", known)


def _known_videos(preparation: Preparation, split: SplitData) -> Rows:
    """`[row]` whether the video was in a training impression."""
    key, impressions = preparation.schema.keys.video, preparation.table.impressions
    which = preparation.split.assign(impressions.collect_schema()[preparation.split.column])
    trained = impressions.filter(which == NAMES.index(TRAIN)).select(key, met=True).unique()
    rows = impressions.select(key).with_row_index(ROW).filter(pl.col(ROW).is_in(split.rows.tolist()))
    met = rows.join(trained, on=key, how="left", maintain_order="left").select(pl.col("met").fill_null(False))
    return met.collect().to_series().to_numpy()


def by_feature(dataset: Dataset, split: SplitData) -> Iterator[Slice]:
    """Each value of a small vocabulary; what a large one does not know; quarters of a number; met before or not."""
    for one in dataset.schema.features:
        if isinstance(one, Feature) and one.side is Side.IMPRESSION:
            continue  # a ranker that serves does not know it
        if isinstance(one, Match):
            met = np.asarray(split.arrays[one.binned]) > 0
            yield Slice(f"{one.name}: met before", met)
            yield Slice(f"{one.name}: never met", ~met)
        elif isinstance(one, Discrete):
            yield from _values(dataset, one, np.asarray(split.arrays[one.name]))
        elif isinstance(one, History):
            lengths = (np.asarray(split.arrays[one.name]) > 0).sum(1)
            yield Slice(f"{one.name}: empty", lengths == 0)
            for low, high, rows in quartiles(lengths, lengths > 0):
                yield Slice(f"{one.name}: {_span(low, high)} long", rows)
        elif isinstance(one, Number):
            yield from _quarters(one, dataset.encoder.fitted.scalers[one.name], np.asarray(split.arrays[one.name]))


def _values(dataset: Dataset, one: Discrete, codes: NDArray[np.int32]) -> Iterator[Slice]:
    codes = codes.reshape(len(codes), -1)
    num_codes = dataset.encoder.fitted.vocabularies[one.table].num_codes
    yield Slice(f"{one.name}: rare or new", (codes == UNKNOWN).any(1))
    yield Slice(f"{one.name}: missing", (codes == 0).all(1))
    if num_codes - NUM_RESERVED <= LARGEST_VOCABULARY:
        known = np.arange(NUM_RESERVED, num_codes)
        for code, value in zip(known, values_of(dataset, one.name, known), strict=True):
            yield Slice(f"{one.name} = {value}", (codes == code).any(1))


def _quarters(one: Number, scaler: Scaler, scaled: NDArray[np.float32]) -> Iterator[Slice]:
    missing = scaled[:, 1] > 0
    yield Slice(f"{one.name}: missing", missing)
    values = scaled[:, 0].astype(np.float64) * scaler.deviation + scaler.mean
    for low, high, rows in quartiles(values, ~missing):
        ends = INVERSES[scaler.transform](torch.tensor([low, high], dtype=torch.float64)).tolist()
        yield Slice(f"{one.name}: {_span(*ends)}", rows)


def _span(low: float, high: float) -> str:
    ends = [f"{round(end, 6) + 0.0:.3g}" if abs(end) < 100 else f"{end:,.0f}" for end in (low, high)]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def quartiles(values: NDArray[Any], among: Rows) -> Iterator[tuple[float, float, Rows]]:
    """Lowest value, highest value and `[row]` of about equal parts; equal values stay together."""
    if not among.any():
        return
    edges = np.unique(np.quantile(values[among], np.linspace(0, 1, NUM_PARTS + 1)[1:-1], method="higher"))
    part = np.searchsorted(edges, values, side="right")
    for which in range(len(edges) + 1):
        rows = among & (part == which)
        if rows.any():
            yield float(values[rows].min()), float(values[rows].max()), rows
