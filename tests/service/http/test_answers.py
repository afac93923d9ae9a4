"""ranking_json(): numbers that are not finite are null."""

import json

import numpy as np

from model.contract.combination import Policy
from service.http.answers import ranking_json
from service.ranking.order import Ranking
from service.ranking.policy import ChosenPolicy
from tests.service.small_bundle import TASKS, manifest

RULES = Policy.model_validate({"combination": "weighted_sum", "weights": {"click": 1.0}})


def test_what_is_not_finite_is_null() -> None:
    predictions = np.array([[0.5, np.inf, np.nan, -np.inf]], dtype=np.float32)
    ranking = Ranking(ChosenPolicy(None, RULES), ["v1"], np.array([np.nan]), predictions, np.array([[np.inf]]), ())
    [row] = json.loads(ranking_json(ranking, "r", manifest("v")))["ranking"]
    names = [task.name for task in TASKS]
    assert row["predictions"] == dict(zip(names, [0.5, None, None, None], strict=True))
    assert row["score"] is None and row["contributions"] == {"click": None}
