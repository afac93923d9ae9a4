"""Arms: the networks that are compared, each a run config; among them the single-task twins, the yardstick."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model.contract.mistakes import mistake
from model.sharing.independent import IndependentConfig
from model.sharing.interface import SharingConfig
from model.sizing import matched
from training.balancing.fixed import FixedConfig
from training.config import RunConfig, parse

SINGLE = "single"
ALSO = ("independent", "shared_bottom", "mmoe")  # what a config is compared with, unless it is told


@dataclass(frozen=True, slots=True)
class Arm:
    """One network. `tasks` are those it has, by their place in the run's config; all twins have the name SINGLE."""

    name: str
    config: RunConfig
    tasks: tuple[int, ...]


def sharing_arms(config: RunConfig, kinds: Sequence[str], match_parameters: bool) -> list[Arm]:
    """The config's own sharing as it stands; the others take its options of the same name, and else their defaults,
    with `match_parameters` scaled to as many parameters as it has.

    Raises InputError for a kind that is not known, or that these tasks make impossible.
    """
    if len(config.tasks) < 2:
        raise mistake("tasks", "two or more, or there is nothing to share", str(len(config.tasks)))
    kinds = list(dict.fromkeys(kinds or (config.sharing.kind, *ALSO)))
    every = tuple(range(len(config.tasks)))
    return [Arm(kind, _with_sharing(config, kind, match_parameters), every) for kind in kinds]


def _with_sharing(config: RunConfig, kind: str, match_parameters: bool) -> RunConfig:
    if kind == config.sharing.kind:
        return config
    raw: dict[str, Any] = config.model_dump(mode="json")
    source = f"--sharing {kind}"
    own, balancing = raw.pop("sharing"), raw.pop("balancing")
    sharing = parse(raw | {"sharing": {"kind": kind}}, {}, source).sharing
    if config.balancing.needs_shared and not sharing.shares_inputs:
        balancing = FixedConfig().model_dump()  # where nothing is shared there is nothing to balance
    options = _options(own, type(sharing)) | {"kind": kind}
    changed = parse(raw | {"sharing": options, "balancing": balancing}, {}, source)
    if not match_parameters:
        return changed
    sized = matched(changed.sharing, config.sharing, config.network, len(config.tasks))
    return changed.model_copy(update={"sharing": sized})


def _options(own: Mapping[str, Any], sharing: type[SharingConfig]) -> dict[str, Any]:
    """The options of one sharing that another has by the same name."""
    return {name: value for name, value in own.items() if name in sharing.model_fields and name != "kind"}


def twins(config: RunConfig) -> Iterator[Arm]:
    """For each task the config's own network with only this task, as `watchnext train` would make it; a plain network
    where the sharing takes several tasks to be anything.
    """
    for at in range(len(config.tasks)):
        yield restricted(Arm(SINGLE, config, tuple(range(len(config.tasks)))), SINGLE, (at,))


def restricted(arm: Arm, name: str, tasks: tuple[int, ...]) -> Arm:
    """The same network with only these of its tasks; the utility keeps their terms.

    Policies stay as they are, whatever tasks they name: a comparison ranks nothing.
    """
    config = arm.config
    kept = tuple(config.tasks[at] for at in tasks)
    if len(kept) == 1:  # alone, a task's weight would weigh its loss against the decay of embeddings
        kept = (kept[0].model_copy(update={"loss_weight": 1.0}),)
    names = {task.name for task in kept}
    stop = config.training.early_stop
    terms = tuple(term for term in stop.utility if term.task in names)
    training = config.training.model_copy(update={"early_stop": stop.model_copy(update={"utility": terms})})
    changes: dict[str, Any] = {"tasks": kept, "training": training}
    if len(kept) < config.sharing.min_tasks:
        options = _options(config.sharing.model_dump(), IndependentConfig)
        changes["sharing"] = IndependentConfig.model_validate(options)
    if len(kept) == 1:
        changes["balancing"] = FixedConfig()
    return Arm(name, config.model_copy(update=changes), tasks)
