"""The share of the model: how much of a request's time ONNX Runtime takes, in this process, on the caller's core."""

import statistics
import time
from dataclasses import replace
from typing import Any

from benchmarks.serving.published import Published
from model.contract.request import RankRequest
from model.contract.versions import live_version, version_folder
from service.ranking.pipeline import rank
from service.registry.loading import load_ranker

NUM_REQUESTS = 200


class Stopwatch:
    """A runtime that notes how long it was at work."""

    def __init__(self, runtime: Any) -> None:
        self.runtime, self.seconds = runtime, 0.0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.runtime, name)

        def timed(*given: Any) -> Any:
            began = time.perf_counter()
            try:
                return method(*given)
            finally:
                self.seconds += time.perf_counter() - began

        return timed


def model_ms(published: Published, bodies: list[bytes]) -> float:
    """Of the median request, in milliseconds."""
    ranker = load_ranker(version_folder(published.registry, live_version(published.registry)), num_threads=1)
    requests = [RankRequest.model_validate_json(body, strict=True) for body in bodies]
    taken = []
    for at in range(NUM_REQUESTS):
        stopwatch = Stopwatch(ranker.runtime)
        rank(requests[at % len(requests)], replace(ranker, runtime=stopwatch))
        taken.append(1000 * stopwatch.seconds)
    return statistics.median(taken)
