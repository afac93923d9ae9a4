"""Limits: how many requests a second one key may make."""

import time
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: `burst` requests at once, refilled by `per_s` a second."""

    per_s: float
    burst: int


class Limits(Protocol):
    """Where the buckets are kept."""

    async def take(self, key_id: str, rate: Rate) -> float:
        """Take one request from the key's bucket: 0, or the seconds after which there will be one. Never raises."""


class LocalLimits:
    """Buckets of this process alone: each of `num_workers` gives its part of a key's rate.

    The token bucket in the form of the generic cell rate algorithm (ITU-T I.371, virtual scheduling): instead of
    tokens and the time when they were counted, one number a key, the time at which its bucket will be full again.
    """

    def __init__(self, num_workers: int) -> None:
        self._num_workers = num_workers
        self._full_at: dict[str, float] = {}

    async def take(self, key_id: str, rate: Rate) -> float:
        per_s, burst = rate.per_s / self._num_workers, max(1.0, rate.burst / self._num_workers)
        now = time.monotonic()
        full_at = max(self._full_at.get(key_id, now), now)
        wait_s = full_at - now - (burst - 1) / per_s
        if wait_s > 1e-9:
            return wait_s
        self._full_at[key_id] = full_at + 1 / per_s
        return 0.0
