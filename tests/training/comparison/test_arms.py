"""Arms: what is compared differs in what is compared, and in nothing else."""

from typing import Any

import pytest

from model.contract.mistakes import InputError
from model.sizing import num_parameters
from training.comparison.arms import restricted, sharing_arms, twins
from training.config import RunConfig, parse


def config_with(raw: dict[str, Any], **changes: Any) -> RunConfig:
    return parse(raw | changes, {}, "config")


def test_a_twin_is_the_same_network_with_one_task(config: RunConfig) -> None:
    found = list(twins(config))
    assert [arm.config.tasks[0].name for arm in found] == [task.name for task in config.tasks]
    rating = found[-1].config
    assert rating.sharing == config.sharing and rating.network == config.network
    assert [term.task for term in rating.training.early_stop.utility] == ["rating"]
    assert rating.tasks[0].loss_weight == 1  # .1 in the config, beside the other tasks
    assert rating.training.model_copy(update={"early_stop": config.training.early_stop}) == config.training


def test_where_sharing_takes_several_tasks_a_twin_is_a_plain_network(raw_config: dict[str, Any]) -> None:
    ple = {"kind": "ple", "expert_units": [8], "dropout": 0.25}
    twin = next(twins(config_with(raw_config, sharing=ple)))
    assert (twin.config.sharing.kind, twin.config.sharing.dropout) == ("independent", 0.25)
    [*_, last] = twins(config_with(raw_config, balancing={"kind": "grad_norm"}))
    assert last.config.balancing.kind == "fixed"


def test_other_architectures_take_the_options_of_the_same_name(raw_config: dict[str, Any]) -> None:
    own = {"kind": "mmoe", "num_experts": 3, "expert_units": [8], "gate_dropout": 0.3, "dropout": 0.2}
    arms = sharing_arms(config_with(raw_config, sharing=own), ["mmoe", "ple", "shared_bottom"], match_parameters=False)
    mmoe, ple, bottom = (arm.config.sharing.model_dump(mode="json") for arm in arms)
    assert mmoe == own
    assert (ple["expert_units"], ple["gate_dropout"], ple["dropout"]) == ([8], 0.3, 0.2)
    assert bottom["dropout"] == 0.2


def test_unless_told_the_usual_ones_are_compared_with_the_configs_own(raw_config: dict[str, Any]) -> None:
    names = [arm.name for arm in sharing_arms(config_with(raw_config, sharing={"kind": "ple"}), [], False)]
    assert names == ["ple", "independent", "shared_bottom", "mmoe"]


def test_all_are_sized_to_the_configs_own(config: RunConfig) -> None:
    arms = sharing_arms(config, ["mmoe", "independent", "ple"], match_parameters=True)
    sizes = [num_parameters(arm.config.sharing, config.network, len(config.tasks)) for arm in arms]
    assert sizes == pytest.approx([sizes[0]] * 3, rel=0.1)


def test_where_nothing_is_shared_nothing_is_balanced(raw_config: dict[str, Any]) -> None:
    config = config_with(raw_config, balancing={"kind": "grad_norm"})
    shared, apart = sharing_arms(config, ["mmoe", "independent"], match_parameters=False)
    assert (shared.config.balancing.kind, apart.config.balancing.kind) == ("grad_norm", "fixed")


def test_a_network_without_some_tasks_keeps_the_others_in_their_order(config: RunConfig) -> None:
    [arm] = sharing_arms(config, ["mmoe"], match_parameters=False)
    rest = restricted(arm, "mmoe without watch_time", (0, 2, 3))
    assert [task.name for task in rest.config.tasks] == ["click", "like", "rating"]
    assert [term.task for term in rest.config.training.early_stop.utility] == ["click", "like", "rating"]
    assert rest.config.tasks[2].loss_weight == config.tasks[3].loss_weight


def test_what_cannot_be_compared_is_refused(raw_config: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"--sharing mmoo: sharing.kind: expected one of .*did you mean `mmoe`\?"):
        sharing_arms(config_with(raw_config), ["mmoo"], match_parameters=False)
    one = {
        "tasks": raw_config["tasks"][:1],
        "policies": {"p": {"combination": "weighted_sum", "weights": {"click": 1}}},
    }
    raw_config["training"].pop("early_stop")
    with pytest.raises(InputError, match="tasks: expected two or more, or there is nothing to share, found 1"):
        sharing_arms(config_with(raw_config, **one), [], match_parameters=False)
