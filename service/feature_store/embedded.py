"""Store `embedded`: a SQLite file beside the service, which all workers of a machine share."""

import sqlite3
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import Field

from model.contract import stored_in_sqlite
from model.contract.mistakes import InputError
from model.contract.stored_features import Entity
from service.errors import NowhereToStore, StoreUnavailable
from service.feature_store.breaker import PAUSE_S, Breaker
from service.feature_store.interface import NOTHING, FeatureStore, StoreConfig, Stored

READER_BUSY_S, WRITER_BUSY_S = 0.05, 5.0


class EmbeddedConfig(StoreConfig):
    kind: Literal["embedded"] = Field(validation_alias="feature_store")
    features_path: Path | None

    def build(self) -> FeatureStore:
        return BUNDLE_ALONE if self.features_path is None else Embedded(self.features_path)


class BundleAlone(FeatureStore):
    """Nothing but the tables of the bundle: what there is without a place to write to."""

    def read(self, user: str | None, videos: Sequence[str]) -> Stored:  # noqa: ARG002
        return NOTHING

    def write(self, entity: Entity, one: str, document: bytes | None) -> None:  # noqa: ARG002
        raise NowhereToStore("Expected --features-path with a file to keep them in, or --feature-store redis.")

    def close(self) -> None:
        pass


BUNDLE_ALONE = BundleAlone()


class Embedded(FeatureStore):
    """As many connections as there are threads that read at once, and one that writes. Readers see the last finished
    write, and never wait for it (WAL).
    """

    def __init__(self, path: Path) -> None:
        """Raises InputError for a file that is none of ours; damage further inside fails the requests that meet it."""
        self._path, self._breaker, self._writing = path, Breaker(), threading.Lock()
        self._writer = stored_in_sqlite.connect(path, WRITER_BUSY_S)
        self._idle: deque[sqlite3.Connection] = deque()

    def read(self, user: str | None, videos: Sequence[str]) -> Stored:
        self._breaker.check()
        try:
            with self._reader() as reader:
                users = stored_in_sqlite.read(reader, Entity.USERS, [] if user is None else [user])
                found = stored_in_sqlite.read(reader, Entity.VIDEOS, videos)
        except (sqlite3.Error, InputError) as error:
            raise self._breaker.failed(error) from error
        self._breaker.succeeded()
        return Stored.of(next(iter(users.values()), None), found)

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """One that nobody else uses meanwhile; one that failed is not used again."""
        try:
            reader = self._idle.pop()
        except IndexError:
            reader = stored_in_sqlite.connect(self._path, READER_BUSY_S)
        try:
            yield reader
        except sqlite3.Error:
            reader.close()
            raise
        self._idle.append(reader)

    def write(self, entity: Entity, one: str, document: bytes | None) -> None:
        try:
            with self._writing:
                if document is None:
                    stored_in_sqlite.delete(self._writer, entity, one)
                else:
                    stored_in_sqlite.write(self._writer, entity, [(one, document)])
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the feature store failed: {error}", PAUSE_S) from error

    def close(self) -> None:
        for connection in (self._writer, *self._idle):
            connection.close()
