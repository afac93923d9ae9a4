"""A category: one string out of a vocabulary."""

from typing import ClassVar, Literal

from pydantic import Field

from model.contract.columns import Column, Strings
from model.contract.features.interface import Arrays, ArraySpec, Feature, Fitted, Table


class Category(Feature):
    """`shares` reads codes and embedding of another category feature, which owns the vocabulary."""

    column: ClassVar[type[Column]] = Strings
    kind: Literal["category"] = "category"
    min_count: int = Field(default=1, ge=1)
    shares: str | None = None
    dim: int | None = Field(default=None, ge=1)

    @property
    def table(self) -> str:
        return self.shares or self.name

    @property
    def specs(self) -> tuple[ArraySpec, ...]:
        return (ArraySpec(self.name, self.side, table=self.table),)

    def tables(self, fitted: Fitted) -> dict[str, Table]:
        owned = fitted.vocabularies.get(self.name) if self.shares is None else None
        return {self.name: Table(owned.num_codes, self.dim)} if owned else {}

    def encode(self, column: Strings, fitted: Fitted) -> Arrays:
        return {self.name: fitted.vocabularies[self.table].codes(column.distinct)[column.index]}
