"""order(): best first, ties as they came, what has no finite score last."""

import numpy as np

from model.contract.combination import Policy, combine
from model.contract.request import RankRequest
from service.ranking.order import order
from service.ranking.policy import ChosenPolicy

RULES = Policy.model_validate({"combination": "weighted_sum", "weights": {"click": 1.0}})


def ranked(clicks: list[float], top_k: int | None = None) -> list[str]:
    request = RankRequest(candidates=[f"c{at}" for at in range(len(clicks))], top_k=top_k)
    predictions = np.array([clicks], dtype=np.float32).T
    scored = combine({"click": predictions[:, 0].astype(np.float64)}, RULES)
    return order(request, ChosenPolicy("p", RULES), predictions, scored, ()).ids


def test_the_best_come_first_and_equal_ones_as_they_came() -> None:
    assert ranked([0.1, 0.5, 0.3, 0.5]) == ["c1", "c3", "c2", "c0"]
    assert ranked([0.1, 0.5, 0.3, 0.5], top_k=1) == ["c1"]
    assert ranked([0.5] * 4, top_k=2) == ["c0", "c1"]


def test_what_has_no_finite_score_sinks() -> None:
    assert ranked([float("nan"), 0.1, float("inf"), -5.0]) == ["c1", "c3", "c0", "c2"]
