"""A server in a process of its own, as an operator starts it."""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_problem(self) -> bool:
        return self.headers.get("content-type") == "application/problem+json"


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen[bytes]
    log: Path
    port: int

    @property
    def log_text(self) -> str:
        return self.log.read_text()

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def rank(self, body: Any) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", "/v1/rank", raw, {"content-type": "application/json"})

    def wait_until_ready(self) -> Answer:
        return wait_for(lambda: self.ask("GET", "/readyz"), lambda answer: answer.status == 200)


def wait_for(ask: Callable[[], Answer], enough: Callable[[Answer], bool]) -> Answer:
    deadline = time.monotonic() + PATIENCE_S
    while not enough(answer := ask()):
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s, last answer: {answer}"
        time.sleep(0.05)
    return answer


@contextmanager
def serving(registry: Path | str, *options: str, cwd: Path = ROOT) -> Iterator[Server]:
    """On a free port; gone at the end, whatever happened."""
    command = [sys.executable, "-m", "service.cli", "--registry", str(registry), "--port", "0", *options]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                command, cwd=cwd, stderr=sink, env={**os.environ, "WATCHNEXT_REGISTRY_POLL_S": "0.05"}
            )
        try:
            yield Server(process, log, _port(process, log))
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"listening on https?://[^:\s]*:(\d+)", log.read_text()):
            return int(found[1])
        time.sleep(0.02)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")
