"""Trace: what becomes known of one request while it is answered."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from service.ranking.trail import Trail


@dataclass(slots=True)
class Trace:
    """`route` is the template of the path, None where there is none; `problem` the kind of the one it was answered
    with. `seconds` has passed when the answer was sent; `traceparent` is the header of W3C Trace Context as it came.
    """

    method: str = ""
    route: str | None = None
    request_id: str = field(default_factory=lambda: os.urandom(16).hex())
    status: int | None = None
    seconds: float = 0.0
    num_candidates: int | None = None
    version: str | None = None
    traceparent: str | None = None
    problem: str | None = None
    trail: Trail = field(default_factory=Trail)

    def end(self) -> None:
        self.seconds = time.perf_counter() - self.trail.began

    def facts(self) -> Iterator[tuple[str, Any]]:
        """What a line of the log tells beside method, path, status and duration."""
        if self.num_candidates is not None:
            yield "candidates", self.num_candidates
        if self.version is not None:
            yield "version", self.version
        if self.trail.num_ignored:
            yield "ignored_features", self.trail.num_ignored
        yield "request_id", self.request_id
