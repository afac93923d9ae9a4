"""Sizing: any architecture to any other's number of parameters, by its widths alone."""

import pytest

from model.contract.mistakes import InputError
from model.ranker import NetworkConfig
from model.sharing import AnySharing
from model.sharing.interface import IS_WIDTH, SharingConfig
from model.sharing.mmoe import MMoEConfig
from model.sharing.shared_bottom import SharedBottomConfig
from model.sizing import matched, num_parameters
from tests.model.builders import kinds

NETWORK, TASKS = NetworkConfig(hidden_units=128, tower_units=(32,)), 3
CONFIGS: tuple[type[SharingConfig], ...] = kinds(AnySharing)


def count(sharing: SharingConfig) -> int:
    return num_parameters(sharing, NETWORK, TASKS)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)
def test_every_kind_can_be_as_large_as_every_other(config: type[SharingConfig]) -> None:
    kept = {name for name, field in config.model_fields.items() if IS_WIDTH not in field.metadata}
    for other in CONFIGS:
        goal, found = count(other()), matched(config(), other(), NETWORK, TASKS)
        assert abs(count(found) - goal) <= 0.025 * goal, other
        assert found.model_dump(include=kept) == config().model_dump(include=kept)


def test_the_number_is_that_of_the_sharing_and_the_towers() -> None:
    hidden, task, tower = 128, 3, 32
    bottom = hidden * 40 + 40 + 40 * 10 + 10
    towers = task * (10 * tower + tower + tower + 1)
    assert count(SharedBottomConfig(units=(40, 10))) == bottom + towers


def test_as_large_as_itself_it_stays_as_it_is() -> None:
    for config in CONFIGS:
        assert matched(config(), config(), NETWORK, TASKS) == config()


def test_what_no_width_comes_near_is_refused() -> None:
    tiny = SharedBottomConfig(units=(1,))
    with pytest.raises(InputError, match=r"match_parameters: expected an architecture whose .* as the nearest"):
        matched(MMoEConfig(num_experts=64), tiny, NETWORK, TASKS)
