"""What every kind of feature promises: which raw column it reads, and which arrays it becomes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from model.contract.columns import Column, Shape
from model.contract.mistakes import Strict
from model.contract.scaling import Scaler
from model.contract.vocabulary import Vocabulary

Arrays = dict[str, NDArray[Any]]
Codes = NDArray[np.int32]
NO_CODES: Codes = np.zeros(0, dtype=np.int32)
Name = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)


class Side(StrEnum):
    USER = "user"
    QUERY = "query"
    CONTEXT = "context"
    CANDIDATE = "candidate"
    IMPRESSION = "impression"
    PAIR = "pair"  # depends on the request and on the candidate; no raw column has it


REQUEST_SIDES = frozenset({Side.USER, Side.QUERY, Side.CONTEXT})


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """One encoded array `[row, *shape]`: int32 codes into `table`, or float32 where `table` is None.

    `part_of` names the feature whose own network reads the array (a history); `hidden` arrays are kept for matching
    and never reach the network. Every column of an array of `quantities` has a meaning of its own; those of a vector
    have one together.
    """

    name: str
    side: Side
    shape: tuple[int, ...] = ()
    table: str | None = None
    part_of: str | None = None
    hidden: bool = False
    quantities: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Size of an embedding table; `dim` None takes the network's default."""

    num_codes: int
    dim: int | None


@dataclass(frozen=True, slots=True)
class Fitted:
    """All that encoding learned from the training split; a history has its mean outcomes in their order."""

    vocabularies: Mapping[str, Vocabulary]
    scalers: Mapping[str, Scaler]
    outcome_means: Mapping[str, tuple[float, ...]]


class Feature(ABC, Strict):
    """One entry of `features:` in a run config."""

    column: ClassVar[type[Column]]
    name: str = Name
    side: Side

    @property
    @abstractmethod
    def specs(self) -> tuple[ArraySpec, ...]:
        """The arrays that `encode` makes."""

    @property
    def shape(self) -> Shape:
        """What the column's reader needs to know."""
        return {}

    @abstractmethod
    def tables(self, fitted: Fitted) -> dict[str, Table]:
        """The embedding tables that this feature owns."""

    def texts(self, column: Any) -> tuple[str, Sequence[str | None]] | None:  # noqa: ARG002
        """A table and the texts of a column whose codes there `encode` needs; None where it needs none."""
        return None

    @abstractmethod
    def encode(self, column: Any, codes: Codes, fitted: Fitted) -> Arrays:
        """A column of the class `column` to one array per entry of `specs`, `[row, *shape]`; a pure function. `codes`
        are those of its texts.
        """
