"""A wrong config gets one line per mistake: where, what was expected, what was found, the nearest allowed name."""

from pathlib import Path
from typing import Any

import pytest

from model.contract.mistakes import InputError
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
    ("sharing.kind", "mmmoe", "`shared_bottom`, found `mmmoe`; did you mean `mmoe`?"),
    ("sharing.num_experts", 1, "sharing.num_experts: expected greater than or equal to 2, found 1"),
    ("data.reader.kind", "parquet", "data.reader.kind: expected one of `impressions`, `kuairand`"),
    ("data.split.valid_from", "2026-03-15", "`valid_from` before `test_from`"),
    ("position_bias.features", ["positon"], "found `positon`; did you mean `position`?"),
    ("position_bias", None, "features[21].side: expected a place in `position_bias.features`"),
    ("policies.balanced.weights", {"clik": 1.0}, "policies.balanced.weights.clik: expected a task (`click`"),
    ("policies.balanced.weights.click", float("nan"), "policies.balanced.weights.click: expected a finite number"),
    ("training.early_stop.utility", [{"task": "click", "metric": "rmse"}], "a metric of binary tasks (`auc`"),
    ("training.learning_rate", "fast", "training.learning_rate: expected a valid number"),
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
