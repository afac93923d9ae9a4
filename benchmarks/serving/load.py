"""Load: keeps a number of connections busy for some seconds, with wrk where it is installed, else with httpx."""

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.serving.workloads import Workload, write_bodies

SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True, slots=True)
class Figures:
    """Latencies in milliseconds, throughput in requests a second."""

    p50: float
    p95: float
    p99: float
    requests_per_s: float

    @classmethod
    def of(cls, found: dict[str, Any]) -> "Figures":
        if found["failed"]:
            raise RuntimeError(f"{found['failed']} of {found['requests']} requests failed")
        return cls(found["p50"], found["p95"], found["p99"], found["requests"] / found["seconds"])


@dataclass(frozen=True, slots=True)
class Load:
    url: str
    workload: Workload
    bodies: list[bytes]
    connections: int
    seconds: int
    headers: Mapping[str, str] = field(default_factory=dict)

    def run(self) -> Figures:
        """Raises RuntimeError where a request fails: nothing is faster than to refuse."""
        found = self._wrk() if shutil.which("wrk") else asyncio.run(self._httpx())
        if not found["requests"] and not found["failed"]:  # none was answered in that time
            return replace(self, seconds=4 * self.seconds).run()
        return Figures.of(found)

    def _wrk(self) -> dict[str, Any]:
        with tempfile.NamedTemporaryFile() as file:
            write_bodies(self.bodies, Path(file.name))
            variables = {
                "WATCHNEXT_BODIES": file.name,
                "WATCHNEXT_PATH": httpx.URL(self.url).path,
                "WATCHNEXT_CONTENT_TYPE": self.workload.media_type,
                "WATCHNEXT_ACCEPT": self.workload.media_type,
                "WATCHNEXT_AUTHORIZATION": self.headers.get("Authorization", ""),
            }
            options = ["-t1", f"-c{self.connections}", f"-d{self.seconds}s", "--timeout", "30s"]
            said = subprocess.run(
                ["wrk", *options, "-s", str(SCRIPT), self.url],
                env=os.environ | variables,
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        return dict(json.loads(next(line for line in said.splitlines() if line.startswith("JSON "))[5:]))

    async def _httpx(self) -> dict[str, Any]:
        headers = {"Content-Type": self.workload.media_type, "Accept": self.workload.media_type, **self.headers}
        latencies: list[float] = []
        began = time.perf_counter()

        async def keep_busy(client: httpx.AsyncClient, at: int) -> None:
            while time.perf_counter() - began < self.seconds:
                sent, at = time.perf_counter(), at + 1
                answer = await client.post(self.url, content=self.bodies[at % len(self.bodies)], headers=headers)
                answer.raise_for_status()
                latencies.append(1000 * (time.perf_counter() - sent))

        async with httpx.AsyncClient(timeout=30) as client:
            await asyncio.gather(*(keep_busy(client, at) for at in range(self.connections)))
        p50, p95, p99 = np.percentile(latencies, [50, 95, 99]).tolist()
        seconds = time.perf_counter() - began
        return {"p50": p50, "p95": p95, "p99": p99, "requests": len(latencies), "seconds": seconds, "failed": 0}
