"""Given: raw columns that remember where in the request each value stood."""

from typing import Any

import numpy as np
import pytest

from model.contract.columns import Numbers
from model.contract.mistakes import InputError
from model.contract.request import RankRequest
from service.ranking.given import given_by_candidates, given_by_request, ids_of_candidates, ids_of_request, to_columns
from tests.service.small_bundle import SCHEMA, schema_of


def asked(**features: dict[str, Any]) -> RankRequest:
    """A candidate for each, with its features."""
    return RankRequest.model_validate({"candidates": [{"id": id_, "features": one} for id_, one in features.items()]})


def test_a_feature_has_one_column_over_the_candidates_that_give_it() -> None:
    given = given_by_candidates(asked(a={}, b={"duration_s": 3.0}, c={"tags": []}, d={"duration_s": 5.0}).inline)
    assert given["duration_s"].rows.tolist() == [1, 3] and given["tags"].rows.tolist() == [2]
    column = to_columns(given, SCHEMA)["duration_s"]
    assert isinstance(column, Numbers) and column.values.tolist() == [3.0, 5.0]


def test_a_wrong_value_is_told_at_its_place_in_the_request() -> None:
    request = asked(a={"tags": ["a"]}, b={}, c={"tags": ["b", 1.5]}, d={"tags": [1.5]})
    with pytest.raises(InputError, match=r"^candidates\[2\]\.features\.tags\[1\]: expected a string"):
        to_columns(given_by_candidates(request.inline), SCHEMA)


def test_each_feature_tells_its_first_mistake() -> None:
    request = RankRequest.model_validate(
        {"candidates": ["v1"], "user": {"features": {"age": "x"}}, "context": {"hour": [], "device": 1.5}}
    )
    with pytest.raises(InputError) as told:
        to_columns(given_by_request(request, SCHEMA), SCHEMA)
    assert [one.where for one in told.value.mistakes] == ["user.features.age", "context.hour", "context.device"]


def test_ids_are_features_where_the_schema_has_them() -> None:
    request = RankRequest.model_validate(
        {"candidates": ["v1", "v2", "v3"], "user": {"id": "u"}, "query": {"video_id": "q"}}
    )
    ids = ids_of_request(request, SCHEMA)
    assert {name: one.values for name, one in ids.items()} == {"user_id": ["u"], "watching": ["q"]}
    assert ids_of_candidates(request.ids, np.array([0, 2]), SCHEMA)["video_id"].values == ["v1", "v3"]
    bare = schema_of(SCHEMA.features[5:7])
    assert ids_of_request(request, bare) == {} == ids_of_candidates(request.ids, np.array([0, 2]), bare)
