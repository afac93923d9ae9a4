"""Categories: a set of strings, pooled."""

from typing import ClassVar, Literal

from pydantic import Field

from model.contract.columns import Column, StringLists, padded
from model.contract.features.discrete import Discrete
from model.contract.features.interface import Arrays, ArraySpec, Fitted


class Categories(Discrete):
    """Keeps the first `length` of each set; the rest is ignored."""

    column: ClassVar[type[Column]] = StringLists
    kind: Literal["categories"] = "categories"
    length: int = Field(default=8, ge=1, le=256)

    @property
    def specs(self) -> tuple[ArraySpec, ...]:
        return (ArraySpec(self.name, self.side, shape=(self.length,), table=self.table, hidden=self.hidden),)

    def encode(self, column: StringLists, fitted: Fitted) -> Arrays:
        codes = fitted.vocabularies[self.table].codes(column.flat.distinct)[column.flat.index]
        return {self.name: padded(codes, column.lengths, self.length)}
