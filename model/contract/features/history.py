"""A history: the videos that a user met before the request, each with its outcomes."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from model.contract.columns import Column, Histories, Shape, padded
from model.contract.features.interface import Arrays, ArraySpec, Feature, Fitted, Table


class History(Feature):
    """The newest `length` interactions, newest first; `of` is the category feature that owns the videos' codes."""

    column: ClassVar[type[Column]] = Histories
    kind: Literal["history"] = "history"
    of: str
    outcomes: tuple[str, ...] = Field(min_length=1)
    length: int = Field(default=50, ge=1, le=1000)

    @property
    def outcomes_name(self) -> str:
        return f"{self.name}.outcomes"

    @property
    def specs(self) -> tuple[ArraySpec, ...]:
        return (
            ArraySpec(self.name, self.side, shape=(self.length,), table=self.of, part_of=self.name),
            ArraySpec(self.outcomes_name, self.side, shape=(self.length, len(self.outcomes)), part_of=self.name),
        )

    @property
    def shape(self) -> Shape:
        return {"outcomes": self.outcomes}

    def tables(self, fitted: Fitted) -> dict[str, Table]:  # noqa: ARG002
        return {}

    def encode(self, column: Histories, fitted: Fitted) -> Arrays:
        codes = fitted.vocabularies[self.of].codes(column.videos.distinct)[column.videos.index]
        # An outcome nobody reported says nothing: it takes the mean.
        means = np.array(fitted.outcome_means[self.name], dtype=np.float32)
        outcomes = np.where(np.isnan(column.outcomes), means, column.outcomes)
        return {
            self.name: padded(codes, column.lengths, self.length, newest_first=True),
            self.outcomes_name: padded(outcomes, column.lengths, self.length, newest_first=True),
        }
