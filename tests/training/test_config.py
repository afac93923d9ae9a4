"""A wrong config gets one line per mistake: where, what was expected, what was found, the nearest allowed name."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from model.contract.mistakes import InputError
from model.sizing import num_parameters
from training.config import RunConfig, load_config, parse, to_yaml

MISTAKES: list[tuple[str, Any, str]] = [
    ("trainin", {}, "trainin: expected one of `name`, `data`"),
    ("features[0].kind", "categry", "`history`, `match`, found `categry`; did you mean `category`?"),
    ("features[0].min_cuont", 3, "found `min_cuont`; did you mean `min_count`?"),
    ("features[0].min_count", 0, "features[0].min_count: expected greater than or equal to 1, found 0"),
    ("features[1].name", "video_id", "features[1].name: expected a name that no other feature has"),
    ("features[8].shares", "vidio_id", "features[8].shares: expected a category feature that shares nothing itself"),
    ("features[10].length", 9, "features[10].length: expected at most the 3 of `topics`, found 9"),
    ("features[19].on", "topcis", "found `topcis`; did you mean `topics`?"),
    ("tasks[0].kind", "binry", "tasks[0].kind: expected 'binary' or 'regression', found `binry`"),
    ("tasks[0].label", "device", "tasks[0].label: expected a column that is no feature"),
    ("tasks[0].transform", "log1p", "no `transform` or `range` on a binary task"),
    ("tasks[1].name", "click", "tasks[1].name: expected a name that no other task has, found `click`"),
    ("sharing.kind", "mmmoe", "found `mmmoe`; did you mean `mmoe`?"),
    ("sharing.num_experts", 1, "sharing.num_experts: expected at least 2 experts"),
    ("match_parameters", {"kind": "pel"}, "match_parameters.kind: expected one of"),
    ("match_parameters", {"kind": "ple", "match_parameters": {"kind": "mmoe"}}, "found `match_parameters`"),
    ("match_parameters", {"kind": "shared_bottom", "units": [1]}, "match_parameters: expected an architecture whose"),
    ("data.reader.kind", "parquet", "data.reader.kind: expected one of `impressions`, `kuairand`"),
    ("data.keys", {"query_video": "watching"}, "data.propensity: expected `data.keys.request` too"),
    ("data.split.valid_from", "2026-03-15", "`valid_from` before `test_from`"),
    ("position_bias.features", ["positon"], "found `positon`; did you mean `position`?"),
    ("position_bias", None, "features[21].side: expected a place in `position_bias.features`"),
    ("policies.balanced.weights", {"clik": 1.0}, "policies.balanced.weights.clik: expected a task (`click`"),
    ("policies.balanced.weights.click", float("nan"), "policies.balanced.weights.click: expected a finite number"),
    ("training.early_stop.utility", [{"task": "click", "metric": "rmse"}], "a metric of binary tasks (`auc`"),
    ("training.learning_rate", "fast", "training.learning_rate: expected a valid number"),
    ("training.learning_rate", 1e300, "training.learning_rate: expected less than or equal to 1000000000, found"),
    ("training.seed", -1, "training.seed: expected greater than or equal to 0, found -1"),
    ("network.tower_units", [0], "network.tower_units[0]: expected greater than 0, found 0"),
    ("sharing.expert_units", [8, -1], "sharing.expert_units[1]: expected greater than 0, found -1"),
    ("name", "../up", "name: expected"),
]  # fmt: skip


def put(raw: Any, place: str, value: Any) -> None:
    *steps, last = place.replace("[", ".[").split(".")
    for step in steps:
        raw = raw[int(step[1:-1])] if step.startswith("[") else raw[step]
    if last.startswith("["):
        raw[int(last[1:-1])] = value
    else:
        raw[last] = value


@pytest.mark.parametrize(
    ("place", "value", "message"), MISTAKES, ids=[f"{place}={value}" for place, value, _ in MISTAKES]
)
def test_each_mistake_is_told_in_one_line(raw_config: dict[str, Any], place: str, value: Any, message: str) -> None:
    put(raw_config, place, value)
    with pytest.raises(InputError) as caught:
        parse(raw_config, {}, "a.yaml")
    lines = str(caught.value).splitlines()
    assert len(lines) == len(caught.value.mistakes)
    assert any(message in line for line in lines), lines


def test_several_mistakes_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("name: a\nnetwrok: {}\nfeatures:\n  - {name: a, kind: number}\ntasks: []\n")
    with pytest.raises(InputError) as caught:
        load_config(path)
    text = str(caught.value)
    assert f"{path}:2: netwrok" in text and "did you mean `network`?" in text
    assert f"{path}:4: features[0].side: expected a value (it is required), found nothing" in text
    assert f"{path}:5: tasks" in text
    assert "data: expected a value (it is required)" in text


ONE_TASK = """\
name: a
data: {reader: {kind: impressions, path: a.csv}, split: {by: random, column: user_id, valid: 0.1, test: 0.1}}
features: [{name: device, kind: category, side: context}, {name: video_id, kind: category, side: candidate}]
tasks: [{name: click, group: g, kind: binary, label: click}]
policies: {best: {combination: weighted_sum, weights: {click: 1}}}
"""


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("sharing: {kind: ple}\n", ":6: sharing.kind: expected at least 2 tasks for `ple` to share between, found 1"),
        (
            "sharing:\n  kind: independent\nbalancing:\n  kind: grad_norm\n",
            ":9: balancing.kind: expected a balancing that weighs no gradients: `independent` shares no parameter "
            "to weigh them on, found `grad_norm`",
        ),
        ("balancing:\n  kind: jacobian\nsharing: {kind: independent}\n", ":7: balancing.kind: expected a balancing"),
        ("balancing: {kind: jacobian, aggregator: upgrade}\n", ":6: balancing.aggregator: expected 'mgda', 'pcgrad'"),
        (
            "sharing: {kind: independent}\nnetwork: {hidden_units: null}\n",
            ":7: network.hidden_units: expected a width: `independent` cannot read the inputs directly, found none",
        ),
        ("position_bias: {features: [device]}\n", ":6: position_bias.features: expected one of side impression among"),
        (
            "training:\n  task_sampling: even\n",
            ":7: training.task_sampling: expected 'rows' or 'uniform', found `even`",
        ),
    ],
)
def test_what_one_part_makes_impossible_for_another_is_told_with_its_line(
    tmp_path: Path, more: str, message: str
) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(ONE_TASK + more)
    with pytest.raises(InputError) as caught:
        load_config(path)
    [line] = str(caught.value).splitlines()
    assert f"{path}{message}" in line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\nname: b\n", ":2: name: expected each key once, found it also in line 1"),
        ("name: [a\n", ":2: expected a YAML document"),
        ("", "expected"),
        ("- 1\n", "expected"),
        ("a: *b\n", "expected a YAML document"),
    ],
)
def test_what_is_no_config_is_told_in_a_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r".") as caught:
        load_config(path)
    assert message in str(caught.value)


def test_a_missing_or_binary_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        load_config(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="a readable YAML file"):
        load_config(tmp_path / "binary.yaml")


@pytest.mark.parametrize("path", sorted(Path("configs").glob("*.yaml")), ids=str)
def test_shipped_configs_are_right_and_survive_being_written(path: Path, tmp_path: Path) -> None:
    config = load_config(path)
    (tmp_path / "again.yaml").write_text(to_yaml(config))
    assert load_config(tmp_path / "again.yaml") == config
    assert isinstance(config, RunConfig)


def test_sized_to_another_architecture_the_config_has_the_widths_and_no_request(raw_config: dict[str, Any]) -> None:
    wanted = {"kind": "mmoe", "num_experts": 6, "expert_units": [64, 32]}
    ple = {"kind": "ple", "num_levels": 1, "expert_units": [10]}
    config = parse(raw_config | {"sharing": ple, "match_parameters": wanted}, {}, "a.yaml")
    assert config.match_parameters is None
    assert config.sharing.expert_units[0] > 10
    assert config.ranker.sharing == config.sharing
    whole = parse(raw_config | {"sharing": wanted}, {}, "a.yaml")
    sizes = [num_parameters(one.sharing, one.network, len(one.tasks)) for one in (config, whole)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.03)
    assert parse(yaml.safe_load(to_yaml(config)), {}, "b.yaml") == config
