"""Positions: where an impression was shown, which biased what became of it; and how probable it was to stand there."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from training.column_names import is_feature_name, words
from training.drafting.parts import Entry, Guesses
from training.drafting.sides import BELONGS, Groups, agreement

NAMES = frozenset(
    {
        *("position", "pos", "rank", "slot", "displayposition", "slateposition", "rankposition", "itemposition"),
        *("shownposition", "impressionposition", "displayrank", "slotindex", "positionindex"),
    }
)
PROPENSITIES = frozenset({"propensity", "loggedpropensity", "loggingpropensity", "loggingprobability"})
LARGEST = 1_000
DEVICE_WORDS = frozenset({"device", "platform", "os", "client"})


def find_position(groups: Groups) -> Guesses:
    """At most one entry: training has one tower for it."""
    guesses = Guesses()
    for series in groups.frame:
        if "".join(words(series.name)) not in NAMES or not is_feature_name(series.name):
            continue
        if agreement(groups.frame, series.name, [groups.video]) >= BELONGS:
            continue  # a rank among videos, not in a list
        if guesses.entries:
            guesses.left_out[series.name] = "another position"
        elif not series.dtype.is_integer() or not _in_range(series):
            guesses.left_out[series.name] = (
                f"a position should be one of a few whole numbers, not of type {series.dtype}"
            )
        else:
            why = "known only once shown: for the bias tower alone"
            guesses.entries.append(Entry({"name": series.name, "kind": "category", "side": "impression"}, why))
    return guesses


def _in_range(series: pl.Series) -> bool:
    known = series.drop_nulls()
    return bool(len(known) and 1 < known.n_unique() <= LARGEST)


def find_propensity(frame: pl.DataFrame) -> str | None:
    """A column of probabilities that is named so; in some rows there may be none."""
    named = (one for one in frame if "".join(words(one.name)) in PROPENSITIES and one.dtype.is_float())
    given = {one.name: one.drop_nulls() for one in named}
    return next((name for name, some in given.items() if len(some) and ((some > 0) & (some <= 1)).all()), None)


def is_device(column: str) -> bool:
    return bool(DEVICE_WORDS.intersection(words(column)))


def bias_block(position: Entry, features: Sequence[Entry]) -> dict[str, Any]:
    """How far down a user looks depends on the device."""
    devices = [
        one.name
        for one in features
        if is_device(one.name) and one.fields.get("side") == "context" and one.fields["kind"] == "category"
    ]
    return {"features": [position.name, *devices[:1]]}
