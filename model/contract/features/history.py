"""A history: the videos that a user met before the request, each with its outcomes."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from model.contract.columns import Column, Histories, Shape, padded
from model.contract.features.interface import Arrays, ArraySpec, Codes, Feature, Fitted, Table
from model.contract.vocabulary import MISSING

SMALLEST_DEVIATION = 0.05
MOST_DEVIATIONS = 1e6  # what is sent may be anything, and must stay finite when it is squared


class History(Feature):
    """The newest `length` interactions, newest first; `of` is the category feature that owns the videos' codes.

    Becomes the videos' codes; the outcomes in deviations from their mean, 0 where nobody reported one, which says
    nothing; and a summary: the scaled count, and of each outcome the mean, drawn towards 0 by `smoothing` imagined
    interactions.

    `attention` is the width in which the network compares the candidate with the videos; 0 for not at all.
    """

    column: ClassVar[type[Column]] = Histories
    kind: Literal["history"] = "history"
    of: str
    outcomes: tuple[str, ...] = Field(min_length=1)
    length: int = Field(default=50, ge=1, le=1000)
    smoothing: float = Field(default=5.0, gt=0)
    attention: int = Field(default=16, ge=0, le=256)

    @property
    def outcomes_name(self) -> str:
        return f"{self.name}.outcomes"

    @property
    def summary_name(self) -> str:
        return f"{self.name}.summary"

    @property
    def specs(self) -> tuple[ArraySpec, ...]:
        return (
            ArraySpec(self.name, self.side, shape=(self.length,), table=self.of, part_of=self.name),
            ArraySpec(self.outcomes_name, self.side, shape=(self.length, len(self.outcomes)), part_of=self.name),
            ArraySpec(self.summary_name, self.side, shape=(1 + len(self.outcomes),), quantities=True),
        )

    @property
    def shape(self) -> Shape:
        return {"outcomes": self.outcomes}

    def tables(self, fitted: Fitted) -> dict[str, Table]:  # noqa: ARG002
        return {}

    def texts(self, column: Histories) -> tuple[str, Sequence[str | None]]:
        return self.of, column.videos.distinct

    def encode(self, column: Histories, codes: Codes, fitted: Fitted) -> Arrays:
        videos = padded(codes[column.videos.index], column.lengths, self.length, newest_first=True)
        means = np.array(fitted.outcome_means[self.name])
        distances = np.nan_to_num((column.outcomes - means) / _deviations(means))
        distances = distances.clip(-MOST_DEVIATIONS, MOST_DEVIATIONS).astype(np.float32)
        outcomes = padded(distances, column.lengths, self.length, newest_first=True)
        summary = summarised(videos > MISSING, outcomes, self.smoothing)
        return {self.name: videos, self.outcomes_name: outcomes, self.summary_name: summary}


def _deviations(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of what is 0 or 1 by its mean; of other outcomes their size."""
    spread = np.sqrt((means * (1 - means)).clip(0))
    return np.maximum(np.where(spread > 0, spread, np.abs(means)), SMALLEST_DEVIATION)


def summarised(which: NDArray[np.bool_], outcomes: NDArray[Any], smoothing: float) -> NDArray[np.float32]:
    """`[row, 1 + outcome]`: of the interactions `which` `[row, length]` the scaled count, and each outcome's mean as it
    would be with `smoothing` average interactions among them.
    """
    count = which.sum(axis=1)
    # One outcome at a time, each a contiguous reduction: the order of additions then never depends on the batch.
    totals = [
        np.where(which, outcomes[:, :, at], np.float32(0)).sum(axis=1, dtype=np.float64)
        for at in range(outcomes.shape[2])
    ]
    means = [total / (count + smoothing) for total in totals]
    return np.stack([np.log1p(count), *means], axis=1).astype(np.float32)
