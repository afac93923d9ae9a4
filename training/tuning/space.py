"""The search space: places in a run config, and the values that a trial may put there."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError, model_validator

from model.contract.mistakes import InputError, Mistake, Strict, mistake, of_validation, quote
from training.config import RunConfig, parse
from training.yaml_lines import load_file


class Range(Strict):
    """Numbers from `low` to `high`, whole where both are; with `log`, orders of magnitude count alike."""

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError("`low` below `high`, and above 0 where `log` is set")
        return self

    @property
    def ends(self) -> tuple[float, float]:
        return self.low, self.high


Choices = tuple[Any, ...]
Space = Mapping[str, Range | Choices]  # by place: `training.learning_rate`, `tasks[0].loss_weight`


def load_space(path: Path, config: RunConfig) -> Space:
    """From YAML, such as `network.hidden_units: [128, 256]` or `training.learning_rate: {low: 1.0e-4, high: 0.01, log:
    true}`. Raises InputError that names the line where a place is none, or a value cannot stand there.
    """
    raw, lines = load_file(path)
    if not isinstance(raw, dict) or not raw:
        raise mistake(str(path), "places in a run config, each with its values", quote(raw))
    space = {}
    for place, values in raw.items():
        where = f"{path}:{lines[str(place)]}"
        space[str(place)] = _values(values, f"{where}: {place}")
        for one in extremes(space[str(place)]):
            with_values(config, {str(place): one}, where)
    return space


def _values(values: Any, where: str) -> Range | Choices:
    if isinstance(values, list) and values:
        return tuple(values)
    if not isinstance(values, dict):
        raise mistake(where, "a list of choices, or `low` and `high`", quote(values))
    try:
        return Range.model_validate(values)
    except ValidationError as error:
        found = of_validation(error, Range)
        raise InputError(
            *(Mistake(f"{where}.{one.where}", one.expected, one.found, one.nearest) for one in found)
        ) from error


def extremes(values: Range | Choices) -> tuple[Any, ...]:
    return values.ends if isinstance(values, Range) else values


def with_values(config: RunConfig, values: Mapping[str, Any], source: str) -> RunConfig:
    """The config with these values in their places. Raises InputError where it is no config any more, or one of other
    data or with another goal.
    """
    raw: dict[str, Any] = config.model_dump(mode="json")
    for place in sorted(values, key=len):  # `sharing` before `sharing.dropout`
        holder, key = _find(raw, place, source)
        holder[key] = values[place]
    changed = parse(raw, {}, source)
    if _constant(changed) != _constant(config):
        found = ", ".join(f"`{place}`" for place in values)
        raise mistake(source, "places that change neither the data nor the goal", found)
    return changed


def value_at(config: RunConfig, place: str) -> Any:
    """As YAML would have it."""
    holder, key = _find(config.model_dump(mode="json"), place, "the config")
    return holder[key]


def _find(raw: Any, place: str, source: str) -> tuple[Any, int | str]:
    """What holds the value at a place, and its key there, which may be a new one."""
    *steps, key = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", place)] or [""]
    try:
        for step in steps:
            raw = raw[step]
        if isinstance(raw, dict) or raw[key] is not None:
            return raw, key
    except (LookupError, TypeError):
        pass
    raise mistake(f"{source}: {place}", "a place in the run config", "none there")


def _constant(config: RunConfig) -> tuple[Any, ...]:
    """What trials have in common: the encoded data, the seed, and what is asked for."""
    tasks = [task.model_copy(update={"loss_weight": 1.0}) for task in config.tasks]
    training = config.training
    return config.name, config.data, config.feature_schema, tasks, config.policies, training.early_stop, training.seed
