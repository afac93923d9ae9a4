"""A Redis in a process of its own, without persistence, and a line to it that drips."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.service.server import PATIENCE_S

PASSWORD = "hunter2"
DRIP_S = 0.02


@dataclass(frozen=True)
class RedisServer:
    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextmanager
def redis_server(folder: Path, port: int | None = None) -> Iterator[RedisServer]:
    """Gone at the end, whatever happened."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    port = port or free_port()
    options = {"--port": port, "--bind": "127.0.0.1", "--save": "", "--appendonly": "no", "--dir": folder}
    command = ["redis-server", *(str(one) for pair in options.items() for one in pair), "--requirepass", PASSWORD]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_until_it_answers(port)
        yield RedisServer(process, port)
    finally:
        process.kill()  # a stopped one would not hear anything gentler
        process.wait()


def _wait_until_it_answers(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError("redis-server did not start")


@contextmanager
def dripping(to_port: int) -> Iterator[int]:
    """The port of a line to that server, whose answers come one byte at a time."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, to_port), daemon=True).start()
        yield int(listener.getsockname()[1])


def _accept(listener: socket.socket, to_port: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", to_port))
            threading.Thread(target=_pass_on, args=(client, server, 0.0, 65536), daemon=True).start()
            threading.Thread(target=_pass_on, args=(server, client, DRIP_S, 1), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, pause_s: float, num_bytes: int) -> None:
    with suppress(OSError):
        while some := source.recv(num_bytes):
            time.sleep(pause_s)
            target.sendall(some)
