"""Policies by name and as JSON, and what is told of those that there are not."""

import pytest

from model.contract.combination import Combination
from model.contract.mistakes import InputError
from training.config import RunConfig
from training.replay.policies import policies_of


def test_without_a_wish_all_of_the_config_are_replayed(config: RunConfig) -> None:
    assert policies_of(config, []) == config.policies


def test_names_and_json_may_be_mixed(config: RunConfig) -> None:
    found = policies_of(config, ["engaged", '{"combination": "weighted_sum", "weights": {"click": 1, "like": 20}}'])
    assert list(found) == ["engaged", "weighted_sum(click 1, like 20)"]
    assert found["engaged"] == config.policies["engaged"]
    own = found["weighted_sum(click 1, like 20)"]
    assert (own.combination, own.weights) == (Combination.WEIGHTED_SUM, {"click": 1.0, "like": 20.0})


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("engage", "--policy: expected a policy of the config, or one as JSON (`balanced`, `engaged`, `satisfied`)"),
        ('{"combination": "weighted_sum", "weights": {"clock": 1}}', "did you mean `click`?"),
        ('{"combination": "sum", "weights": {"click": 1}}', "--policy: combination: expected"),
        ('{"combination": "weighted_sum"', "expected valid JSON"),
        ('{"combination": "weighted_sum", "weights": {}}', "--policy: weights: expected"),
    ],
)
def test_a_policy_that_there_is_not_is_one_line(config: RunConfig, asked: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        policies_of(config, [asked])
    assert message in str(raised.value) and "\n" not in str(raised.value)
