"""Summary: the ratios that the project promises, from what was measured in one run."""

from collections.abc import Mapping

from benchmarks.serving.rounds import Answers, Question
from benchmarks.serving.workloads import Workload, by_arrow, by_ids, by_json

USUAL = Question(by_ids(500))


def summarise(answers: Answers, two_workers_over_one: float) -> Mapping[str, float | None]:
    """A ratio is null where a service is missing here."""

    def p50(workload: Workload, name: str = "watchnext", again: bool = False) -> float | None:
        found = answers.get((name, Question(workload, again=again)))
        return found.p50 if found else None

    usual = answers["watchnext", USUAL]
    return {
        "plain_over_watchnext_p50_fp32": _ratio(p50(by_ids(500), "plain"), usual.p50),
        "plain_over_watchnext_p50_reduced": _ratio(p50(by_ids(500), "plain"), p50(by_ids(500), "reduced")),
        "plain_over_watchnext_p50_fp32_again": _ratio(p50(by_ids(500), "plain", True), p50(by_ids(500), again=True)),
        "litserve_over_watchnext_p50": _ratio(p50(by_ids(500), "litserve"), usual.p50),
        "bentoml_over_watchnext_p50": _ratio(p50(by_ids(500), "bentoml"), usual.p50),
        "p99_over_p50": usual.p99 / usual.p50,
        "two_workers_over_one": two_workers_over_one,
        "candidates_5000_over_500": _ratio(p50(by_ids(5_000)), usual.p50),
        "inline_json_over_ids": _ratio(p50(by_json(300)), p50(by_ids(300))),
        "inline_arrow_over_ids": _ratio(p50(by_arrow(300)), p50(by_ids(300))),
    }


def _ratio(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one / other
