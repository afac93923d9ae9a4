"""Categories: a set of strings, pooled."""

from typing import ClassVar, Literal

from pydantic import Field

from model.contract.columns import Column, StringLists, padded
from model.contract.features.interface import Arrays, ArraySpec, Feature, Fitted, Table


class Categories(Feature):
    """Keeps the first `length` of each set; the rest is ignored."""

    column: ClassVar[type[Column]] = StringLists
    kind: Literal["categories"] = "categories"
    length: int = Field(default=8, ge=1, le=256)
    min_count: int = Field(default=1, ge=1)
    shares: str | None = None
    dim: int | None = Field(default=None, ge=1)

    @property
    def table(self) -> str:
        return self.shares or self.name

    @property
    def specs(self) -> tuple[ArraySpec, ...]:
        return (ArraySpec(self.name, self.side, shape=(self.length,), table=self.table),)

    def tables(self, fitted: Fitted) -> dict[str, Table]:
        owned = fitted.vocabularies.get(self.name) if self.shares is None else None
        return {self.name: Table(owned.num_codes, self.dim)} if owned else {}

    def encode(self, column: StringLists, fitted: Fitted) -> Arrays:
        codes = fitted.vocabularies[self.table].codes(column.flat.distinct)[column.flat.index]
        return {self.name: padded(codes, column.lengths, self.length)}
