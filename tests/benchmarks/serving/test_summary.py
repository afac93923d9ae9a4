"""Summary: ratios of what was measured, null where a service is missing."""

import pytest

from benchmarks.serving.load import Figures
from benchmarks.serving.rounds import Question
from benchmarks.serving.summary import summarise
from benchmarks.serving.workloads import by_arrow, by_ids, by_json


def figures(p50: float) -> Figures:
    return Figures(p50, 2 * p50, 3 * p50, 1000 / p50)


def test_ratios() -> None:
    workloads = {by_ids(300): 2.0, by_ids(500): 3.0, by_ids(5_000): 30.0, by_json(300): 6.0, by_arrow(300): 4.0}
    answers = {("watchnext", Question(workload)): figures(p50) for workload, p50 in workloads.items()}
    answers[("plain", Question(by_ids(500)))] = figures(24.0)
    found = summarise(answers, two_workers_over_one=1.9)
    answers |= {
        (name, Question(by_ids(500), again=True)): figures(p50) for name, p50 in (("watchnext", 4.0), ("plain", 20.0))
    }
    assert found["plain_over_watchnext_p50_fp32"] == 8 and found["plain_over_watchnext_p50_fp32_again"] is None
    assert summarise(answers, two_workers_over_one=1.9)["plain_over_watchnext_p50_fp32_again"] == 5
    assert found["plain_over_watchnext_p50_reduced"] is None is found["bentoml_over_watchnext_p50"]
    assert found["p99_over_p50"] == pytest.approx(3)
    assert (found["inline_json_over_ids"], found["inline_arrow_over_ids"]) == (3, 2)
    assert (found["candidates_5000_over_500"], found["two_workers_over_one"]) == (10, 1.9)
