"""Stored features in Redis: a key a user and a key a video, each with a JSON document; needs the extra `redis`."""

from typing import TYPE_CHECKING

from model.contract.mistakes import mistake
from model.contract.stored_features import Entity

if TYPE_CHECKING:
    from redis import Redis


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
