"""The search space where none is given: around what the config says."""

import typing
from collections.abc import Iterator
from typing import Any

from model.contract.mistakes import InputError, Strict
from training.balancing import AnyBalancing
from training.config import RunConfig
from training.tuning.space import Choices, Range, Space, extremes, value_at, with_values

DROPOUTS = (0.0, 0.1, 0.2, 0.3)
DECAYS = (0.0, 1e-6, 1e-5, 1e-4, 1e-3)
FACTOR = 5.0  # how far strengths and the learning rate may go from where they are, either way


def default_space(config: RunConfig) -> Space:
    """The learning rate, sizes halved and doubled, dropouts, decay, options of the sharing, all ways of balancing. What
    this config could not have is left out, and with it a place that is left with one value.
    """
    kinds = [member.model_fields["kind"].default for member in typing.get_args(typing.get_args(AnyBalancing)[0])]
    places: dict[str, Range | Choices] = {
        "training.learning_rate": _around(config.training.learning_rate),
        "training.embedding_decay": DECAYS,
        "balancing": tuple({"kind": kind} for kind in kinds if kind != config.balancing.kind),
        **dict(_options("network", config.network)),
        **dict(_options("sharing", config.sharing)),
    }
    space = {place: _allowed(config, place, values) for place, values in places.items()}
    return {place: values for place, values in space.items() if isinstance(values, Range) or len(values) > 1}


def _allowed(config: RunConfig, place: str, values: Range | Choices) -> Range | Choices:
    """What the config has, and those of the values that it could have in its place."""

    def fits(value: Any) -> bool:
        try:
            with_values(config, {place: value}, "the default space")
        except InputError:
            return False
        return True

    if isinstance(values, Range):
        return values if all(map(fits, extremes(values))) else ()
    own = value_at(config, place)
    return own, *(value for value in values if value != own and fits(value))


def _options(part: str, settings: Strict) -> Iterator[tuple[str, Range | Choices]]:
    values = settings.model_dump(mode="json")
    for name, field in type(settings).model_fields.items():
        if name != "kind":
            yield f"{part}.{name}", _others(name, values[name], typing.get_args(field.annotation))


def _others(name: str, value: Any, named: tuple[Any, ...]) -> Range | Choices:
    """What else an option may be, by what it is."""
    if isinstance(value, str):
        return named
    if "dropout" in name:
        return DROPOUTS
    if isinstance(value, int):
        return value // 2, value * 2
    if isinstance(value, list):
        return [one // 2 for one in value], [one * 2 for one in value]
    return _around(value) if isinstance(value, float) and value > 0 else ()


def _around(value: float) -> Range:
    return Range(low=value / FACTOR, high=value * FACTOR, log=True)
