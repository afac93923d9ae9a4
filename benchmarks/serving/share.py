"""The share of the model: how much of a request's time goes from encoded arrays to predictions, as a forward pass does,
and how much of that is in ONNX Runtime alone: what is looked up of candidates, halves here and embeddings elsewhere, is
looked up outside of it.
"""

import os
import statistics
import time
from collections.abc import Set
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.serving.load import Load
from benchmarks.serving.published import Published
from model.contract.request import RankRequest
from model.contract.versions import live_version, version_folder
from service.ranking.pipeline import rank
from service.ranking.ranker import Ranker
from service.ranking.trail import Stage, Trail
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


@dataclass(frozen=True, slots=True)
class Shares:
    model_share: float
    onnxruntime_share: float


def measure_shares(published: Published, load: Load, rounds: int, server_core: Set[int], load_core: Set[int]) -> Shares:
    """Of the service's p50: in turn with it, in this process, on the core of the service. A slow minute of the machine
    is one for both.
    """
    ranker = load_ranker(version_folder(published.registry, live_version(published.registry)), num_threads=1)
    requests = [RankRequest.model_validate_json(body, strict=True) for body in load.bodies]
    whole, model, runtime = [], [], []
    for _ in range(rounds):
        os.sched_setaffinity(0, load_core)
        whole.append(load.run().p50)
        os.sched_setaffinity(0, server_core)
        for times, ms in zip((model, runtime), _model_ms(ranker, requests), strict=True):
            times.append(ms)
    return Shares(*(statistics.median(times) / statistics.median(whole) for times in (model, runtime)))


def _model_ms(ranker: Ranker, requests: list[RankRequest]) -> tuple[float, float]:
    """Of the median request, in milliseconds: from encoded arrays to predictions, and in the runtime alone."""
    model, runtime = [], []
    for at in range(NUM_REQUESTS):
        stopwatch, trail = Stopwatch(ranker.runtime), Trail()
        rank(requests[at % len(requests)], replace(ranker, runtime=stopwatch), trail=trail)
        model.append(1000 * trail.durations()[Stage.PREDICT])
        runtime.append(1000 * stopwatch.seconds)
    return statistics.median(model), statistics.median(runtime)
