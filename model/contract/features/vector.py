"""A vector: an embedding that somebody else computed, of a title or a picture."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from model.contract.columns import Column, Shape, Vectors
from model.contract.features.interface import Arrays, ArraySpec, Codes, Feature, Fitted, Table


class Vector(Feature):
    """Used as it comes; zeros and a flag where missing."""

    column: ClassVar[type[Column]] = Vectors
    kind: Literal["vector"] = "vector"
    length: int = Field(ge=1, le=4096)

    @property
    def specs(self) -> tuple[ArraySpec, ...]:
        return (ArraySpec(self.name, self.side, shape=(self.length + 1,)),)

    @property
    def shape(self) -> Shape:
        return {"length": self.length}

    def tables(self, fitted: Fitted) -> dict[str, Table]:  # noqa: ARG002
        return {}

    def encode(self, column: Vectors, codes: Codes, fitted: Fitted) -> Arrays:  # noqa: ARG002
        missing = np.isnan(column.values).any(axis=1, keepdims=True)
        return {self.name: np.hstack([np.where(missing, np.float32(0), column.values), missing.astype(np.float32)])}
