"""A request: ids or objects as candidates, a policy by name or by rules, and nothing that it does not know."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from model.contract.combination import Policy
from model.contract.request import Features, RankRequest


def parsed(**body: Any) -> RankRequest:
    return RankRequest.model_validate_json(json.dumps({"candidates": ["a"]} | body), strict=True)


def test_candidates_are_ids_or_objects() -> None:
    assert parsed(candidates=["a", "b"]).ids == ["a", "b"]
    request = parsed(candidates=[{"id": "a"}, {"id": "b", "features": {"age": 1}}, {"id": "c", "features": {}}])
    assert request.ids == ["a", "b", "c"]
    assert {name: (one.rows.tolist(), list(one.values)) for name, one in request.inline.items()} == {"age": ([1], [1])}
    assert parsed(candidates=["a", "b"]).inline == {}


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ({"x": 3, "y": 4}, {"x": ([0, 1], [1, 3]), "y": ([0, 1], [2, 4])}),
        ({"y": 4, "x": 3}, {"x": ([0, 1], [1, 3]), "y": ([0, 1], [2, 4])}),
        ({"y": 4}, {"x": ([0], [1]), "y": ([0, 1], [2, 4])}),
        ({"z": 5}, {"x": ([0], [1]), "y": ([0], [2]), "z": ([1], [5])}),
    ],
)
def test_each_feature_has_the_values_of_those_that_give_it(second: Features, expected: dict[str, Any]) -> None:
    request = parsed(candidates=[{"id": "a", "features": {"x": 1, "y": 2}}, {"id": "b", "features": second}])
    assert {name: (one.rows.tolist(), list(one.values)) for name, one in request.inline.items()} == expected


def test_a_policy_is_a_name_or_rules() -> None:
    assert parsed(policy="balanced").policy == "balanced"
    rules = parsed(policy={"combination": "weighted_sum", "weights": {"like": -1}}).policy
    assert isinstance(rules, Policy)
    assert rules.weights == {"like": -1.0}
    assert parsed().policy is None


def test_outcomes_may_be_true_false_numbers_or_unknown() -> None:
    outcomes = {"like": True, "skip": False, "stars": 3, "share": None}
    [interaction] = parsed(user={"history": [{"video_id": "v", "outcomes": outcomes}]}).user.history or []
    assert interaction.outcomes == {"like": 1.0, "skip": 0.0, "stars": 3.0, "share": None}


@pytest.mark.parametrize(
    "body",
    [
        {"candidates": ["a", {"idd": "b"}]},
        {"candidates": [{"id": "b"}, 5]},
        {"candidates": [1]},
        {"candidates": "a"},
        {"candidates": [""]},
        {"candidates": ["x" * 513]},
        {"candidates": None},
        {"top_k": 0},
        {"top_k": 1.5},
        {"top_k": True},
        {"explain": 1},
        {"policy": 5},
        {"policy": {"combination": "weighted_sum", "weights": {}}},
        {"policy": {"combination": "weighted_sum", "weights": {"like": None}}},
        {"policy": {"combination": "weighted_sum", "weights": {"like": float("nan")}}},
        {"user": {"id": 5}},
        {"user": {"history": [{"video_id": "v", "outcomes": {"like": "yes"}}]}},
        {"user": {"history": [{"outcomes": {}}]}},
        {"query": {"id": "v"}},
        {"context": []},
        {"request_id": "a b"},
        {"request_id": "a\nb"},
        {"requestid": "a"},
    ],
)
def test_what_is_no_request_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        parsed(**body)
