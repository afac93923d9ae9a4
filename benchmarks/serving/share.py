"""The share of the model: how much of a request's time ONNX Runtime takes."""

import os
import statistics
import time
from collections.abc import Set
from dataclasses import replace
from typing import Any

from benchmarks.serving.load import Load
from benchmarks.serving.published import Published
from model.contract.request import RankRequest
from model.contract.versions import live_version, version_folder
from service.ranking.pipeline import rank
from service.ranking.ranker import Ranker
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


def model_share(published: Published, load: Load, rounds: int, server_core: Set[int], load_core: Set[int]) -> float:
    """Of the service's p50: in turn with it, in this process, on the core of the service. A slow minute of the machine
    is one for both.
    """
    ranker = load_ranker(version_folder(published.registry, live_version(published.registry)), num_threads=1)
    requests = [RankRequest.model_validate_json(body, strict=True) for body in load.bodies]
    model, whole = [], []
    for _ in range(rounds):
        os.sched_setaffinity(0, load_core)
        whole.append(load.run().p50)
        os.sched_setaffinity(0, server_core)
        model.append(_model_ms(ranker, requests))
    return statistics.median(model) / statistics.median(whole)


def _model_ms(ranker: Ranker, requests: list[RankRequest]) -> float:
    """Of the median request, in milliseconds."""
    taken = []
    for at in range(NUM_REQUESTS):
        stopwatch = Stopwatch(ranker.runtime)
        rank(requests[at % len(requests)], replace(ranker, runtime=stopwatch))
        taken.append(1000 * stopwatch.seconds)
    return statistics.median(taken)
