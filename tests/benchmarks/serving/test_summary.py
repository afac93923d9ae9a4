"""Summary: ratios of what was measured in one round, none where a service is missing."""

import pytest

from benchmarks.serving.load import Figures
from benchmarks.serving.rounds import Question
from benchmarks.serving.summary import AGAIN, USUAL, medians, ratios
from benchmarks.serving.workloads import by_arrow, by_ids, by_json


def figures(*p50s: float) -> list[Figures]:
    return [Figures(p50, 2 * p50, 3 * p50, 1000 / p50) for p50 in p50s]


def test_ratios() -> None:
    workloads = {by_ids(300): 2.0, by_ids(500): 3.0, by_ids(5_000): 30.0, by_json(300): 6.0, by_arrow(300): 4.0}
    answers = {("watchnext", Question(workload)): figures(p50) for workload, p50 in workloads.items()}
    found = medians(ratios(answers | {("plain", USUAL): figures(24)}))
    assert found["plain_over_watchnext_p50_fp32"] == 8 and found["plain_over_watchnext_p50_fp32_again"] is None
    assert found["plain_over_watchnext_p50_reduced"] is None is found["bentoml_over_watchnext_p50"]
    assert found["p99_over_p50"] == pytest.approx(3)
    assert (found["inline_json_over_ids"], found["inline_arrow_over_ids"]) == (3, 2)
    assert found["candidates_5000_over_500"] == 10


def test_what_a_slow_minute_does_to_both_is_in_neither_ratio() -> None:
    answers = {("watchnext", AGAIN): figures(4, 8, 4), ("plain", AGAIN): figures(20, 40, 24)}
    assert ratios(answers)["plain_over_watchnext_p50_fp32_again"] == [5, 5, 6]
    assert medians(ratios(answers))["plain_over_watchnext_p50_fp32_again"] == 5
