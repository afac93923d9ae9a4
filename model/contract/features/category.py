"""A category: one string out of a vocabulary."""

from typing import ClassVar, Literal

from model.contract.columns import Column, Strings
from model.contract.features.discrete import Discrete
from model.contract.features.interface import Arrays, ArraySpec, Fitted


class Category(Discrete):
    column: ClassVar[type[Column]] = Strings
    kind: Literal["category"] = "category"

    @property
    def specs(self) -> tuple[ArraySpec, ...]:
        return (ArraySpec(self.name, self.side, table=self.table, hidden=self.hidden),)

    def encode(self, column: Strings, fitted: Fitted) -> Arrays:
        return {self.name: fitted.vocabularies[self.table].codes(column.distinct)[column.index]}
