"""Servers: halted, all processes of one stand still, and go on afterwards."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.serving.servers import Server

PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
PATIENCE_S = 30


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """It has a child, which waits for a line."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as found:
        assert found.stdout is not None
        found.stdout.readline()
        try:
            yield found
        finally:
            Server(found, "", 0.0).go_on()  # else nothing of it would end


def have(processes: list[int], halted: bool) -> bool:
    """Whether all of them are halted, or none, soon: a signal arrives when it does."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        stats = [Path(f"/proc/{one}/stat").read_text() for one in processes]
        if all((stat.rpartition(")")[2].split()[0] == "T") is halted for stat in stats):
            return True
        time.sleep(0.01)
    return False


def test_all_processes_of_a_halted_server_stand_still(process: subprocess.Popen[bytes]) -> None:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    server, both = Server(process, "", 0.0), [process.pid, *map(int, children)]
    assert len(both) == 2
    server.halt()
    assert have(both, halted=True)
    with server.awake():
        assert have(both, halted=False)
    assert have(both, halted=True)
    server.go_on()
    process.communicate(b"\n", timeout=PATIENCE_S)
    assert process.returncode == 0
