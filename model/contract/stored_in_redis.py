"""Stored features in Redis: a key a user and a key a video, each with a JSON document; needs the extra `redis`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from model.contract.mistakes import mistake
from model.contract.stored_features import Entity

if TYPE_CHECKING:
    from redis import Redis

MOST_AT_ONCE = 1_000  # keys: a Redis answers nobody else meanwhile


def key(entity: Entity, one: str) -> str:
    return f"watchnext:{entity}:{one}"


def connect(url: str, timeout_s: float) -> "Redis":
    """A pool that connects when it is first asked, waits at most `timeout_s` for any one thing, and tries nothing
    twice. Raises InputError, which never holds the URL: it may have a password.
    """
    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError:
        raise mistake("redis", "the library redis (pip install 'watchnext[redis]')", "none") from None
    try:
        return Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
    except ValueError:
        raise mistake("the URL of Redis", "redis://[user:password@]host[:port][/database]", "another") from None


def write(client: "Redis", entity: Entity, rows: Sequence[tuple[str, bytes]]) -> None:
    """Each thousand of them at once or not at all. Raises InputError."""
    from redis.exceptions import RedisError

    try:
        for start in range(0, len(rows), MOST_AT_ONCE):
            client.mset({key(entity, one): document for one, document in rows[start : start + MOST_AT_ONCE]})
    except RedisError as error:
        raise mistake("redis", "a server that takes what is written", f"{type(error).__name__}: {error}") from None
