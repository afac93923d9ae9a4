"""Categories: a set of strings, pooled."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from model.contract.columns import Column, StringLists, padded
from model.contract.features.discrete import Discrete
from model.contract.features.interface import Arrays, ArraySpec, Codes, Fitted


class Categories(Discrete):
    """Keeps the first `length` of each set; the rest is ignored."""

    column: ClassVar[type[Column]] = StringLists
    kind: Literal["categories"] = "categories"
    length: int = Field(default=8, ge=1, le=256)

    @property
    def specs(self) -> tuple[ArraySpec, ...]:
        return (ArraySpec(self.name, self.side, shape=(self.length,), table=self.table, hidden=self.hidden),)

    def texts(self, column: StringLists) -> tuple[str, Sequence[str | None]]:
        return self.table, column.flat.distinct

    def encode(self, column: StringLists, codes: Codes, fitted: Fitted) -> Arrays:  # noqa: ARG002
        return {self.name: padded(codes[column.flat.index], column.lengths, self.length)}
