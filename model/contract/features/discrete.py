"""What categories and sets of them have in common: a vocabulary of their own, or a share in another's."""

from abc import ABC

from pydantic import Field

from model.contract.features.interface import Feature, Fitted, Table


class Discrete(Feature, ABC):
    """`shares` reads codes and embedding of another discrete feature, which owns the vocabulary. A `hidden` feature is
    there for others (a match on it): the network does not read it itself.
    """

    min_count: int = Field(default=1, ge=1)
    shares: str | None = None
    dim: int | None = Field(default=None, ge=1)
    hidden: bool = False

    @property
    def table(self) -> str:
        return self.shares or self.name

    def tables(self, fitted: Fitted) -> dict[str, Table]:
        owned = fitted.vocabularies.get(self.name) if self.shares is None else None
        return {self.name: Table(owned.num_codes, self.dim)} if owned else {}
