"""choose_policy(): by name, by rules given, or the first one."""

import pytest

from model.contract.combination import Policy
from model.contract.mistakes import InputError
from service.ranking.policy import ChosenPolicy, choose_policy
from tests.service.small_bundle import POLICIES, manifest

MANIFEST = manifest("v")


def test_without_a_policy_the_first_one_rules() -> None:
    assert choose_policy(None, MANIFEST) == ChosenPolicy("balanced", Policy.model_validate(POLICIES["balanced"]))


def test_by_name() -> None:
    assert choose_policy("satisfied", MANIFEST).name == "satisfied"
    with pytest.raises(InputError, match=r"did you mean `satisfied`\?"):
        choose_policy("satisfyed", MANIFEST)


def test_rules_of_the_requests_own_are_checked() -> None:
    own = Policy.model_validate({"combination": "weighted_sum", "weights": {"click": 2.0}})
    assert choose_policy(own, MANIFEST) == ChosenPolicy(None, own)
    with pytest.raises(InputError, match=r"^policy\.weights\.clik: "):
        choose_policy(own.model_copy(update={"weights": {"clik": 1.0}}), MANIFEST)
