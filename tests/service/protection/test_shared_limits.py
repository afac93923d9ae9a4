"""SharedLimits, on a real Redis: one bucket for all, and one's own while Redis is away."""

import asyncio
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from model.contract.mistakes import InputError
from service.protection.limits import LocalLimits, Rate
from service.protection.shared_limits import TIMEOUT_S, SharedLimits

RATE = Rate(per_s=0.5, burst=6)


@pytest.fixture
def redis() -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    pytest.importorskip("redis")
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
    try:
        while True:
            with socket.socket() as asked:
                if asked.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/0", process
    finally:
        process.kill()
        process.wait()


async def taken(limits: SharedLimits, times: int, key: str = "a") -> int:
    return sum([await limits.take(key, RATE) == 0 for _ in range(times)])


def test_two_services_take_from_one_bucket(redis: tuple[str, "subprocess.Popen[bytes]"]) -> None:
    async def run() -> None:
        one, other = (SharedLimits(redis[0], LocalLimits(1)) for _ in range(2))
        assert await taken(one, 4) + await taken(other, 10) + await taken(one, 10) == 6
        assert await taken(other, 10, "b") == 6
        assert 0 < await other.take("a", RATE) <= 2

    asyncio.run(run())


def test_while_redis_hangs_or_is_gone_each_keeps_its_own(
    redis: tuple[str, "subprocess.Popen[bytes]"], caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        limits = SharedLimits(redis[0], LocalLimits(1))
        assert await taken(limits, 6) == 6
        redis[1].send_signal(signal.SIGSTOP)
        began = time.monotonic()
        assert await taken(limits, 50) == 6
        assert time.monotonic() - began < 20 * TIMEOUT_S  # one request waited for it, not fifty
        redis[1].kill()
        redis[1].wait()
        limits._paused_until = 0.0
        assert await taken(limits, 5) == 0

    asyncio.run(run())
    assert len(caplog.messages) == 2 and all("limits are kept by each worker" in one for one in caplog.messages)


def test_it_returns_to_redis(redis: tuple[str, "subprocess.Popen[bytes]"]) -> None:
    async def run() -> None:
        limits = SharedLimits(redis[0], LocalLimits(1))
        redis[1].send_signal(signal.SIGSTOP)
        assert await taken(limits, 50) == 6
        redis[1].send_signal(signal.SIGCONT)
        limits._paused_until = 0.0
        assert await taken(limits, 50) in (5, 6)  # what was sent while it hung may count

    asyncio.run(run())


@pytest.mark.parametrize("url", ["http://user:hidden@host", "nonsense-hidden"])
def test_a_wrong_address_is_told_without_it(url: str) -> None:
    pytest.importorskip("redis")
    with pytest.raises(InputError, match="redis_url: expected an address") as told:
        SharedLimits(url, LocalLimits(1))
    assert "hidden" not in str(told.value)
