"""Limits: a burst, then a steady rate, whatever the pace of asking."""

import asyncio

import pytest

from service.protection import limits
from service.protection.limits import LocalLimits, Rate


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(limits, "time", clock)
    return clock


def taken(buckets: LocalLimits, rate: Rate, times: int, key: str = "a") -> int:
    return sum(asyncio.run(buckets.take(key, rate)) == 0 for _ in range(times))


def test_a_burst_then_the_rate(clock: Clock) -> None:
    buckets, rate = LocalLimits(1), Rate(per_s=10, burst=5)
    assert taken(buckets, rate, 20) == 5
    clock.now += 0.1
    assert taken(buckets, rate, 20) == 1
    clock.now += 0.35
    assert taken(buckets, rate, 20) == 3
    clock.now += 1000
    assert taken(buckets, rate, 20) == 5


@pytest.mark.parametrize("pace_s", [0.001, 0.033, 0.09])
def test_over_time_it_is_the_rate_whatever_the_pace(clock: Clock, pace_s: float) -> None:
    buckets, rate = LocalLimits(1), Rate(per_s=10, burst=5)
    began, passed = clock.now, 0
    while clock.now < began + 20:
        passed += taken(buckets, rate, 1)
        clock.now += pace_s
    assert 200 <= passed <= 206


def test_who_waits_as_long_as_told_is_let_in(clock: Clock) -> None:
    buckets, rate = LocalLimits(1), Rate(per_s=3, burst=2)
    for _ in range(50):
        wait_s = asyncio.run(buckets.take("a", rate))
        clock.now += wait_s
        if wait_s:
            assert 0 < wait_s <= 1 / 3 + 1e-9 and asyncio.run(buckets.take("a", rate)) == 0


def test_keys_have_a_bucket_each_and_workers_their_part(clock: Clock) -> None:
    rate = Rate(per_s=10, burst=8)
    buckets = LocalLimits(4)
    assert [taken(buckets, rate, 10, key) for key in "ab"] == [2, 2]
    clock.now += 1
    assert taken(buckets, rate, 10) == 2
    assert taken(LocalLimits(100), rate, 10) == 1
