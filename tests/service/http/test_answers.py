"""ranking_json(): numbers that are not finite are null, ids may be any strings."""

import json

import numpy as np
import pytest

from model.contract import kernels
from model.contract.combination import Policy
from service.http.answers import ranking_json
from service.ranking.order import Ranking
from service.ranking.policy import ChosenPolicy
from tests.service.small_bundle import TASKS, manifest

RULES = Policy.model_validate({"combination": "weighted_sum", "weights": {"click": 1.0}})


@pytest.fixture(params=["compiled", "numpy"], autouse=True)
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "numpy":
        monkeypatch.setattr(kernels, "COMPILED", None)


def test_what_is_not_finite_is_null() -> None:
    predictions = np.array([[0.5, np.inf, np.nan, -np.inf]], dtype=np.float32)
    ranking = Ranking(ChosenPolicy(None, RULES), ["v1"], np.array([np.nan]), predictions, np.array([[np.inf]]), ())
    [row] = json.loads(ranking_json(ranking, "r", manifest("v")))["ranking"]
    names = [task.name for task in TASKS]
    assert row["predictions"] == dict(zip(names, [0.5, None, None, None], strict=True))
    assert row["score"] is None and row["contributions"] == {"click": None}


def test_ids_may_be_any_strings() -> None:
    ids = ['x",', ",", '","', "a\nb", ",\n  ", "%b", "\u00e9\U0001f600", "\\"]
    predictions = np.random.default_rng(0).random((len(ids), len(TASKS)), dtype=np.float32)
    ranking = Ranking(ChosenPolicy("p", RULES), ids, np.arange(len(ids)) / 3, predictions, None, ())
    rows = json.loads(ranking_json(ranking, "r", manifest("v")))["ranking"]
    assert [row["id"] for row in rows] == ids
    assert [row["score"] for row in rows] == [at / 3 for at in range(len(ids))]
    found = np.array([list(row["predictions"].values()) for row in rows], dtype=np.float32)
    assert np.array_equal(found, predictions)
