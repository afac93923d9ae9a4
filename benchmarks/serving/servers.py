"""Servers: started on a free port and on given cores, and gone at the end."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.serving.arms import Arm
from benchmarks.serving.published import Published

PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Server:
    """`ready_s` is how long it took from start to ready."""

    process: subprocess.Popen[bytes]
    url: str
    ready_s: float

    def memory_mib(self) -> float:
        """Of all its processes: the proportional set size, in which what is shared counts once."""
        return sum(_pss_kib(process) for process in _tree(self.process.pid)) / 1024

    def halt(self) -> None:
        """All its processes, until it goes on; requests of meanwhile wait."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    @contextmanager
    def awake(self) -> Iterator[None]:
        self.go_on()
        try:
            yield
        finally:
            self.halt()

    def _signal(self, number: signal.Signals) -> None:
        for process in _tree(self.process.pid):
            with contextlib.suppress(ProcessLookupError):  # it may have ended
                os.kill(process, number)


def _tree(root: int) -> set[int]:
    parents = dict(_parents())
    tree = {root}
    while more := {process for process, parent in parents.items() if parent in tree} - tree:
        tree |= more
    return tree


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it may have ended
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            yield int(folder.name), int(after_name[1])


def _pss_kib(process: int) -> int:
    with contextlib.suppress(OSError):
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return 0


@contextmanager
def serving(arm: Arm, published: Published, workers: int, cores: Set[int]) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            arm.command(published, port, workers),
            stdout=log,
            stderr=log,
            cwd=arm.folder,
            env=os.environ | {"OMP_NUM_THREADS": "1"} | arm.variables(published, workers),
            start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(process, address + arm.ready_path, lambda: _tail(log))
            yield Server(process, f"{address}/v1/rank", time.perf_counter() - began)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, told: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        time.sleep(0.01)
    raise RuntimeError(f"the server did not start: {told()}")


def _tail(log: object) -> str:
    log.seek(0)  # type: ignore[attr-defined]
    return log.read().decode(errors="replace")[-2000:]  # type: ignore[attr-defined]
