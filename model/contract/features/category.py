"""A category: one string out of a vocabulary."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from model.contract.columns import Column, Strings
from model.contract.features.discrete import Discrete
from model.contract.features.interface import Arrays, ArraySpec, Codes, Fitted


class Category(Discrete):
    column: ClassVar[type[Column]] = Strings
    kind: Literal["category"] = "category"

    @property
    def specs(self) -> tuple[ArraySpec, ...]:
        return (ArraySpec(self.name, self.side, table=self.table, hidden=self.hidden),)

    def texts(self, column: Strings) -> tuple[str, Sequence[str | None]]:
        return self.table, column.distinct

    def encode(self, column: Strings, codes: Codes, fitted: Fitted) -> Arrays:  # noqa: ARG002
        return {self.name: codes[column.index]}
