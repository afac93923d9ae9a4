"""SharedLimits: buckets in Redis, which all workers of all services take from."""

import asyncio
import logging
import time
from typing import Any

from model.contract.mistakes import mistake
from service.protection.limits import Limits, Rate

logger = logging.getLogger(__name__)
TIMEOUT_S = 0.05  # longer than Redis ever needs, and not felt by whoever waits for a ranking
PAUSE_S = 1.0  # without asking again, so that a Redis that hangs costs one request a second its timeout
KEY = "watchnext:limit:{}"
# The same algorithm as LocalLimits, by the clock of Redis, in one round trip. `%.6f`: Lua would write 14 digits.
SCRIPT = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local per_s, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1])) or now, now)
local wait = full_at - now - (burst - 1) / per_s
if wait > 0.000001 then return string.format('%.6f', wait) end
full_at = full_at + 1 / per_s
redis.call('SET', KEYS[1], string.format('%.6f', full_at), 'PX', math.ceil((full_at - now) * 1000) + 1)
return '0'
"""


class SharedLimits:
    """While Redis does not answer, the buckets of this process stand in: a limit that is less exact, and no failure."""

    def __init__(self, redis_url: str, fallback: Limits) -> None:
        self._take = _script(redis_url)
        self._fallback = fallback
        self._paused_until = 0.0

    async def take(self, key_id: str, rate: Rate) -> float:
        if time.monotonic() >= self._paused_until:
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    return float(await self._take(keys=[KEY.format(key_id)], args=[rate.per_s, rate.burst]))
            except Exception as error:  # whatever ails Redis, ranking goes on
                self._paused_until = time.monotonic() + PAUSE_S
                logger.warning("limits are kept by each worker: Redis gave %s", type(error).__name__)
        return await self._fallback.take(key_id, rate)


def _script(redis_url: str) -> Any:
    """Raises InputError where the extra is missing, or this is no address: not quoted, it may hold a password."""
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError:
        raise mistake("redis_url", "the extra `redis` (pip install 'watchnext[redis]')", "none") from None
    try:
        client = Redis.from_url(redis_url, retry=Retry(NoBackoff(), 0))
    except ValueError:
        raise mistake("redis_url", "an address like redis://host:6379/0", "something else") from None
    return client.register_script(SCRIPT)
