"""What every feature store promises: raw features by id, written at any time, read once a request."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from model.contract.stored_features import Document, Entity, read_documents


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store has of one request's ids; nothing of those that it does not know. `num_unreadable` are documents
    that none of us can have written.
    """

    user: Document | None = None
    videos: Mapping[str, Document] = field(default_factory=dict)
    num_unreadable: int = 0

    @classmethod
    def of(cls, user: bytes | None, videos: Mapping[str, bytes]) -> Self:
        """From documents as they were written."""
        [of_user] = read_documents([] if user is None else [user]) or [None]
        of_videos = dict(zip(videos, read_documents(list(videos.values())), strict=True))
        readable = {one: document for one, document in of_videos.items() if document is not None}
        num_unreadable = len(of_videos) - len(readable) + (user is not None and of_user is None)
        return cls(of_user, readable, num_unreadable)


NOTHING = Stored()


class FeatureStore(ABC):
    """Safe to call from many threads at once. What was written is what every worker reads next."""

    @abstractmethod
    def read(self, user: str | None, videos: Sequence[str]) -> Stored:
        """On the path of every request: at most one round trip, nothing tried twice. Raises StoreUnavailable."""

    @abstractmethod
    def write(self, entity: Entity, one: str, document: bytes | None) -> None:
        """Replace what is stored of an id, or delete it. Once it returns, this outlives the process. Raises
        StoreUnavailable, or NowhereToStore.
        """

    @abstractmethod
    def close(self) -> None:
        """Nobody may call it afterwards."""


class StoreConfig(ABC, BaseModel):
    """One entry of the table; its fields are named as the settings that it reads."""

    model_config = ConfigDict(frozen=True)
    kind: str = Field(validation_alias="feature_store")

    @abstractmethod
    def build(self) -> FeatureStore:
        """Raises InputError."""
