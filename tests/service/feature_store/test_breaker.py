"""Breaker: some failures in a row close it, one success opens it, one attempt a pause is let through."""

import pytest

from service.errors import StoreUnavailable
from service.feature_store import breaker
from service.feature_store.breaker import MOST_FAILURES, Breaker


def is_open(one: Breaker) -> bool:
    try:
        one.check()
    except StoreUnavailable:
        return False
    return True


def test_failures_in_a_row_close_it_for_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(breaker.time, "monotonic", lambda: now[0])
    one = Breaker()
    for _ in range(MOST_FAILURES - 1):
        one.failed(OSError())
    one.succeeded()
    for _ in range(MOST_FAILURES):
        assert is_open(one)
        one.failed(OSError())
    assert not is_open(one)
    now[0] += breaker.PAUSE_S
    assert [is_open(one) for _ in range(3)] == [True, False, False]
    one.failed(OSError())
    assert not is_open(one)
    now[0] += breaker.PAUSE_S
    assert is_open(one)
    one.succeeded()
    assert all(is_open(one) for _ in range(3))
