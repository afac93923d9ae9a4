"""The share of the model: how much of the time that a request takes goes from encoded arrays to predictions, as in a
forward pass. What is looked up of candidates is part of it: halves here, embeddings elsewhere.
"""

from collections.abc import Sequence
from dataclasses import replace

import httpx
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.serving.load import Load
from benchmarks.serving.rounds import WARM_UP_S
from service.ranking.trail import Stage


def measure_shares(load: Load, rounds: int) -> Sequence[float]:
    """Of the time of one client that asks again at once, by the service's own account of its stages, a round each."""
    replace(load, seconds=WARM_UP_S).run()
    return [_share(load) for _ in range(rounds)]


def _share(load: Load) -> float:
    seconds, count = _predicted(load.url)
    a_second = load.run().requests_per_s
    seconds_after, count_after = _predicted(load.url)
    return a_second * (seconds_after - seconds) / (count_after - count)


def _predicted(url: str) -> tuple[float, float]:
    """How long requests were predicted until now, and how many."""
    told = httpx.get(str(httpx.URL(url).join("/metrics")), trust_env=False).raise_for_status().text
    [stages] = (one for one in text_string_to_metric_families(told) if one.name == "watchnext_stage_seconds")
    of = {one.name: one.value for one in stages.samples if one.labels["stage"] == Stage.PREDICT}
    return of["watchnext_stage_seconds_sum"], of["watchnext_stage_seconds_count"]
