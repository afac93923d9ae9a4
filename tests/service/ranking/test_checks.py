"""Checks: the mistakes of a request, each at its place."""

from typing import Any

import pytest

from model.contract.mistakes import MOST_MISTAKES, InputError
from model.contract.request import RankRequest
from model.contract.schema import FeatureSchema
from service.ranking.checks import check, check_limits
from tests.service.small_bundle import SCHEMA, schema_of


def mistakes(schema: FeatureSchema = SCHEMA, **parts: Any) -> list[str]:
    request = RankRequest.model_validate({"candidates": ["v1"]} | parts)
    with pytest.raises(InputError) as told:
        check(request, schema)
    return [str(one) for one in told.value.mistakes]


def test_all_mistakes_are_told_in_the_order_of_the_request() -> None:
    assert mistakes(
        user={"features": {"aeg": 1}, "history": [{"video_id": "v1", "outcomes": {"lik": 1}}]},
        context={"devise": "ios"},
        candidates=[{"id": "v1"}, {"id": "v1", "features": {"age": 1}}],
    ) == [
        "candidates[1]: expected an id that no other candidate has, found `v1`, which is candidates[0] too",
        "user.features.aeg: expected a feature of the user (`age`), found `aeg`; did you mean `age`?",
        "context.devise: expected a feature of the context (`device`, `hour`), found `devise`; did you mean `device`?",
        "candidates[1].features.age: expected a feature of the candidate, found `age`, a feature of the user",
        "user.history[0].outcomes.lik: expected an outcome (`like`, `seen`), found `lik`; did you mean `like`?",
    ]


def test_what_has_a_place_of_its_own_is_sent_there() -> None:
    assert mistakes(user={"features": {"user_id": "u1", "recent": []}}, query={"features": {"watching": "v1"}}) == [
        "user.features.user_id: expected `user.id` to give `user_id`, found a feature",
        "user.features.recent: expected `user.history` to give `recent`, found a feature",
        "query.features.watching: expected `query.video_id` to give `watching`, found a feature",
    ]


def test_a_history_that_nothing_reads_is_refused() -> None:
    without = schema_of(one for one in SCHEMA.features if one.kind != "history")
    assert mistakes(without, user={"history": []})[0].startswith("user.history: expected no history")


def test_a_flood_of_mistakes_is_cut() -> None:
    assert len(mistakes(context={f"x{at}": 1 for at in range(1000)})) == MOST_MISTAKES


def test_a_hostile_name_does_not_flood_the_answer() -> None:
    [told] = mistakes(context={"x\n" * 10_000: 1})
    assert len(told) < 300 and "\n" not in told


@pytest.mark.parametrize(("parts", "where"), [({"candidates": ["a", "b", "c"]}, "candidates"), ({"top_k": 3}, "top_k")])
def test_limits(parts: dict[str, Any], where: str) -> None:
    request = RankRequest.model_validate({"candidates": ["a"]} | parts)
    check_limits(request, 3)
    with pytest.raises(InputError) as told:
        check_limits(request, 2)
    assert told.value.mistakes[0].where == where
