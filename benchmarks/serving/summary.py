"""Summary: the ratios that the project promises, each from what was measured within one round."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmarks.serving.load import Figures
from benchmarks.serving.rounds import Answers, Question
from benchmarks.serving.workloads import Workload, by_arrow, by_ids, by_json

Ratios = Mapping[str, Sequence[float]]
USUAL = Question(by_ids(500))
AGAIN = replace(USUAL, again=True)


def ratios(answers: Answers) -> Ratios:
    """One a round; none where a service is missing here."""

    def figures(question: Question | Workload, name: str = "watchnext") -> Sequence[Figures]:
        return answers.get((name, question if isinstance(question, Question) else Question(question)), ())

    usual = figures(USUAL)
    return {
        "plain_over_watchnext_p50_fp32": _over(figures(USUAL, "plain"), usual),
        "plain_over_watchnext_p50_reduced": _over(figures(USUAL, "plain"), figures(USUAL, "reduced")),
        "plain_over_watchnext_p50_fp32_again": _over(figures(AGAIN, "plain"), figures(AGAIN)),
        "litserve_over_watchnext_p50": _over(figures(USUAL, "litserve"), usual),
        "bentoml_over_watchnext_p50": _over(figures(USUAL, "bentoml"), usual),
        "p99_over_p50": [one.p99 / one.p50 for one in usual],
        "candidates_5000_over_500": _over(figures(by_ids(5_000)), usual),
        "inline_json_over_ids": _over(figures(by_json(300)), figures(by_ids(300))),
        "inline_arrow_over_ids": _over(figures(by_arrow(300)), figures(by_ids(300))),
    }


def _over(some: Sequence[Figures], others: Sequence[Figures]) -> list[float]:
    """Of p50. What the machine did in a round it did to both."""
    if not some or not others:
        return []
    return [one.p50 / other.p50 for one, other in zip(some, others, strict=True)]


def medians(found: Ratios) -> dict[str, float | None]:
    """Null where there is none."""
    return {name: statistics.median(of_round) if of_round else None for name, of_round in found.items()}
