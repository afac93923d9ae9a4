"""The search space: what it may hold, and what it is where none is given."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from model.contract.mistakes import InputError
from model.sharing import AnySharing
from training.config import RunConfig, parse
from training.tuning.defaults import default_space
from training.tuning.space import Range, extremes, load_space, value_at, with_values

KINDS = [member.model_fields["kind"].default for member in get_args(get_args(AnySharing)[0])]


def space_of(text: str, config: RunConfig, folder: Path) -> Any:
    path = folder / "space.yaml"
    path.write_text(text)
    return load_space(path, config)


def test_choices_and_ranges_are_read(config: RunConfig, tmp_path: Path) -> None:
    text = """
network.hidden_units: [8, 16]
training.learning_rate: {low: 1.0e-4, high: 0.01, log: true}
sharing: [{kind: mmoe, num_experts: 2}, {kind: ple}]
tasks[3].loss_weight: {low: 0.05, high: 1.0}
"""
    found = space_of(text, config, tmp_path)
    assert found["network.hidden_units"] == (8, 16)
    assert found["training.learning_rate"] == Range(low=1e-4, high=0.01, log=True)
    changed = with_values(config, {"sharing": found["sharing"][1], "tasks[3].loss_weight": 0.5}, "trial")
    assert (changed.sharing.kind, changed.tasks[3].loss_weight) == ("ple", 0.5)
    assert changed.data == config.data and changed.features == config.features


def test_a_part_is_put_before_what_is_in_it(config: RunConfig) -> None:
    values = {"sharing.dropout": 0.25, "sharing": {"kind": "ple"}}
    assert with_values(config, values, "trial").sharing.model_dump(include={"kind", "dropout"}) == {
        "kind": "ple",
        "dropout": 0.25,
    }


MISTAKES = {
    "training.learning_rte: [0.1]": r"training.learning_rte: expected one of .*did you mean `learning_rate`\?",
    "network.hidden_units: [8, -1]": "network.hidden_units: expected .*greater than or equal to 1, found -1",
    "training.learning_rate: {low: 0.1, high: 0.01}": "training.learning_rate.*: expected `low` below `high`",
    "training.learning_rate: {low: 0.1, hi: 0.2}": "training.learning_rate.high: expected a value",
    "training.learning_rate: 0.1": "training.learning_rate: expected a list of choices, or `low` and `high`",
    "network.units.first: [1]": "network.units.first: expected a place in the run config",
    "tasks[9].loss_weight: [1.0]": r"tasks\[9\].loss_weight: expected a place in the run config",
    "sharing.kind: [ple]": "sharing.num_experts: expected one of",
    "features: [[]]": "features: expected",
    "tasks[0].label: [like]": r"expected places that change neither the data nor the goal, found `tasks\[0\]",
    "training.seed: [1, 2]": "expected places that change neither the data nor the goal",
    "[]": "expected places in a run config, each with its values",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_wrong_place_is_told_in_a_line(text: str, config: RunConfig, tmp_path: Path) -> None:
    with pytest.raises(InputError) as found:
        space_of(text, config, tmp_path)
    assert re.search(f"space.yaml(:1)?: {MISTAKES[text]}", str(found.value)), found.value


@pytest.mark.parametrize("kind", KINDS)
def test_the_default_space_is_around_the_config_whatever_it_shares(kind: str, raw_config: dict[str, Any]) -> None:
    config = parse(raw_config | {"sharing": {"kind": kind}}, {}, "config")
    space = default_space(config)
    assert {"training.learning_rate", "balancing", "network.hidden_units", "network.embedding_dim"} <= space.keys()
    assert any(place.startswith("sharing.") and place.endswith("units") for place in space)
    for place, values in space.items():
        own = value_at(config, place)
        assert (values.low < own < values.high) if isinstance(values, Range) else values[0] == own and len(values) > 1
        for value in extremes(values):
            with_values(config, {place: value}, "trial")


def test_the_best_config_can_be_written_and_read_back(config: RunConfig) -> None:
    assert parse(yaml.safe_load(yaml.safe_dump(config.model_dump(mode="json"))), {}, "again") == config
    assert with_values(config, {}, "trial") == config
