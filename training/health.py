"""Health of the experts: who uses them, which have died, which gates have collapsed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from model.contract.mistakes import Strict
from model.contract.tasks import Task
from model.gate import Gate
from model.ranker import MultiTaskRanker
from training.dataset import SplitData
from training.evaluation import batch_of
from training.hardware import moved

SAMPLE_ROWS = 8_192
POLARISED = 0.95  # of a gate's probability, on one expert
DEAD = 0.9  # of an expert's units
UNUSED = 0.01  # of a gate's probability
ALONE = 0.95  # of all that is taken of a shared expert, by one task


class GateHealth(Strict):
    """`tasks[task][expert]` is the probability that a task's gate gives an expert, accumulated over the rows as Zhao et
    al. (RecSys 2019) read experts, and divided by their number: the shared experts, then the task's own.
    `entropy[task]` is the mean entropy of these probabilities within a row, 1 where all experts get the same, 0 where
    one gets all. A gate that serves all tasks counts for each.
    """

    name: str
    tasks: tuple[tuple[float, ...], ...]
    entropy: tuple[float, ...]


class ExpertsHealth(Strict):
    """`dead_units` is the share of an expert's outputs that rise above 0 in no row; HoME (arXiv 2408.05430) saw experts
    of production collapse so to over 90%.
    """

    name: str
    dead_units: tuple[float, ...]


class ExpertHealth(Strict):
    """Of all gates and the experts that they mix; empty where there are none."""

    gates: tuple[GateHealth, ...] = ()
    experts: tuple[ExpertsHealth, ...] = ()
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What one gate did to some rows: `weights` `[row, gate, expert]`, and what went in: `shared` `[row, expert, out]`
    and, where each gate has experts of its own, `own` `[row, gate, expert, out]`. `users` names who uses each gate.
    """

    name: str
    users: Sequence[str]
    weights: Tensor
    shared: Tensor
    own: Tensor | None

    @property
    def utilisation(self) -> Tensor:
        return self.weights.mean(0)


def expert_health(ranker: MultiTaskRanker, tasks: Sequence[Task], split: SplitData) -> ExpertHealth:
    """On at most `SAMPLE_ROWS` rows, spread over the split."""
    rows = np.unique(np.linspace(0, split.num_rows - 1, SAMPLE_ROWS).astype(np.int64))
    names = [task.name for task in tasks]
    seen: list[Seen] = []

    def watch(name: str, gate: Gate) -> RemovableHandle:
        def hook(_: nn.Module, given: tuple[Tensor, ...], __: Tensor) -> None:
            weights, own = gate.weights(given[0]), given[2] if len(given) > 2 else None
            users = names if weights.shape[1] == len(names) else ["all"]
            seen.append(Seen(name, users, weights, given[1], own))

        return gate.register_forward_hook(hook)

    hooks = [watch(name, one) for name, one in ranker.sharing.named_modules() if isinstance(one, Gate)]
    was_training = ranker.training
    try:
        with torch.no_grad():
            ranker.eval()(moved(batch_of(split, rows), ranker.calibration.slope.device), as_logged=False)
    finally:
        ranker.train(was_training)
        for one in hooks:
            one.remove()
    return ExpertHealth(
        gates=tuple(_gate(one, len(names)) for one in seen),
        experts=tuple(group for one in seen for group in _experts(one)),
        alarms=tuple(alarm for one in seen for alarm in _alarms(one)),
    )


def _gate(seen: Seen, num_tasks: int) -> GateHealth:
    num_experts = seen.weights.shape[2]
    entropy = torch.special.entr(seen.weights).sum(2).mean(0) / np.log(num_experts)
    return GateHealth(
        name=seen.name,
        tasks=tuple(map(tuple, seen.utilisation.expand(num_tasks, -1).tolist())),
        entropy=tuple(entropy.expand(num_tasks).tolist()),
    )


def _experts(seen: Seen) -> Iterator[ExpertsHealth]:
    yield ExpertsHealth(name=seen.name, dead_units=_dead(seen.shared))
    if seen.own is not None:
        for user, outputs in zip(seen.users, seen.own.unbind(1), strict=True):
            yield ExpertsHealth(name=f"{seen.name} of {user}", dead_units=_dead(outputs))


def _dead(outputs: Tensor) -> tuple[float, ...]:
    """Of each expert, from `[row, expert, out]`."""
    return tuple((outputs <= 0).all(0).float().mean(1).tolist())


def _alarms(seen: Seen) -> Iterator[str]:
    utilisation, num_shared = seen.utilisation, seen.shared.shape[1]
    for user, of_experts in zip(seen.users, utilisation, strict=True):
        if of_experts.max() > POLARISED:
            yield f"{seen.name} polarises: `{user}` takes {of_experts.max():.0%} from expert {of_experts.argmax() + 1}"
        if seen.own is not None and of_experts[num_shared:].sum() < UNUSED:
            yield f"{seen.name}: `{user}` does not use its own experts"
    for group in _experts(seen):
        for number, dead in enumerate(group.dead_units, 1):
            if dead > DEAD:
                yield f"{group.name}: expert {number} dies, {dead:.0%} of its units are always 0"
    for number, by_user in enumerate(utilisation[:, :num_shared].T, 1):
        if by_user.max() < UNUSED:
            yield f"{seen.name}: no task uses expert {number}"
        elif len(by_user) > 1 and by_user.max() > ALONE * by_user.sum():
            yield f"{seen.name}: only `{seen.users[int(by_user.argmax())]}` uses expert {number}, which is for all"
