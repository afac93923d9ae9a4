"""Store `redis`: a server that many machines share; needs the extra `redis`."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from pydantic import Field, SecretStr

from model.contract.mistakes import mistake
from model.contract.stored_features import Entity
from model.contract.stored_in_redis import connect, key
from service.errors import StoreUnavailable
from service.feature_store.breaker import PAUSE_S, Breaker
from service.feature_store.interface import FeatureStore, StoreConfig, Stored

WRITE_TIMEOUT_S = 2.0
MOST_READERS = 64  # threads are made as they are needed: as many as there are requests at once


class RedisConfig(StoreConfig):
    kind: Literal["redis"] = Field(validation_alias="feature_store")
    redis_url: SecretStr | None
    feature_timeout_ms: float

    def build(self) -> "Redis":
        if self.redis_url is None:
            raise mistake("redis_url", "redis://host:port to go with `feature_store` redis", "none")
        return Redis(self.redis_url.get_secret_value(), self.feature_timeout_ms / 1000)


class Redis(FeatureStore):
    """A request is one MGET. A thread of its own waits for it, because the library's timeouts begin anew with every
    packet, and a looked-up host name has none: who asks waits `timeout_s` in all and no longer.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        """Connects to nobody yet. Raises InputError."""
        self._timeout_s, self._breaker = timeout_s, Breaker()
        self._reader, self._writer = connect(url, timeout_s), connect(url, WRITE_TIMEOUT_S)
        self._threads = ThreadPoolExecutor(MOST_READERS, thread_name_prefix="redis")

    def read(self, user: str | None, videos: Sequence[str]) -> Stored:
        keys = [key(Entity.VIDEOS, one) for one in videos]
        if user is not None:
            keys.append(key(Entity.USERS, user))
        self._breaker.check()
        asked = self._threads.submit(self._reader.mget, keys)
        try:
            values: Any = asked.result(self._timeout_s)
        except Exception as error:  # whatever the library raises: a request is ranked all the same
            asked.cancel()
            raise self._breaker.failed(error) from error
        self._breaker.succeeded()
        of_user = values.pop() if user is not None else None
        return Stored.of(of_user, {one: value for one, value in zip(videos, values, strict=True) if value is not None})

    def write(self, entity: Entity, one: str, document: bytes | None) -> None:
        name = key(entity, one)
        try:
            if document is None:
                self._writer.delete(name)
            else:
                self._writer.set(name, document)
        except Exception as error:
            raise StoreUnavailable(f"the feature store failed: {type(error).__name__}", PAUSE_S) from error

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._reader.close()
        self._writer.close()
