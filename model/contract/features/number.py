"""A number: its scaled value, and the embedding of its quantile bin where `bins` asks for it."""

from typing import ClassVar, Literal

from pydantic import Field

from model.contract.columns import Column, Numbers
from model.contract.features.interface import Arrays, ArraySpec, Codes, Feature, Fitted, Table
from model.contract.scaling import Transform


class Number(Feature):
    column: ClassVar[type[Column]] = Numbers
    kind: Literal["number"] = "number"
    transform: Transform = Transform.NONE
    bins: int = Field(default=0, ge=0, le=1024)
    dim: int | None = Field(default=None, ge=1)

    @property
    def binned(self) -> str:
        return f"{self.name}.bin"

    @property
    def specs(self) -> tuple[ArraySpec, ...]:
        value = ArraySpec(self.name, self.side, shape=(2,), quantities=True)
        return (value, ArraySpec(self.binned, self.side, table=self.binned)) if self.bins else (value,)

    def tables(self, fitted: Fitted) -> dict[str, Table]:
        return {self.binned: Table(fitted.scalers[self.name].num_codes, self.dim)} if self.bins else {}

    def encode(self, column: Numbers, codes: Codes, fitted: Fitted) -> Arrays:  # noqa: ARG002
        scaler = fitted.scalers[self.name]
        arrays: Arrays = {self.name: scaler.scale(column.values)}
        return arrays | {self.binned: scaler.bins(column.values)} if self.bins else arrays
