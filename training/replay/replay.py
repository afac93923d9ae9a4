"""Replay: a trained run's predictions of logged requests, put in order by other policies."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from model.contract.combination import Policy
from model.contract.mistakes import InputError, mistake, unknown_name
from training.dataset import SplitData
from training.evaluation import compute_logits, predict
from training.evidence.draws import Interval
from training.replay.front import Front, find_front, signs_of
from training.replay.lists import Array
from training.replay.logged import Logged, read_logged
from training.replay.off_policy import Evidence, OffPolicy, estimate_policies
from training.replay.orders import Order, compare_orders
from training.replay.scene import Scene
from training.run import Run, load_trained
from training.splits import TEST, VALID
from training.watching import TerminalWatcher

TODAY = "today's order"


@dataclass(frozen=True, slots=True)
class Asked:
    """What to replay: policies by name, on the requests of a split that have more than `top_k` candidates."""

    policies: dict[str, Policy]
    split: str
    top_k: int


@dataclass(frozen=True, slots=True)
class Replay:
    """`num_requests` of the split's `num_logged` requests were replayed. `reference` names the order that others are
    held against, `reference_values` by task are its own. `notes` tell what could not be had.
    """

    asked: Asked
    num_requests: int
    num_logged: int
    reference: str
    reference_values: dict[str, Interval]
    orders: dict[str, Order]
    front: Front
    off_policy: OffPolicy | None
    notes: tuple[str, ...]

    @property
    def extent(self) -> str:
        of_all = f"{self.num_requests:,} of the {self.num_logged:,} requests of {self.asked.split}"
        return f"replayed {of_all}: those with more than {self.asked.top_k} candidates"


def replay(run: Run, asked: Asked, watcher: TerminalWatcher) -> Replay:
    """Raises InputError where there is no such split, no trained run, no request long enough, or propensities are none
    (`read_logged`).
    """
    if asked.split not in (VALID, TEST):
        raise InputError(unknown_name("--split", "a split that was not trained on", asked.split, (VALID, TEST)))
    config, policies, dataset = run.config, asked.policies, run.dataset(watcher)
    ranker = load_trained(run, dataset)
    split = dataset.splits[asked.split]
    logged = read_logged(run, split)
    predictions = predict(ranker.calibration, compute_logits(ranker, split))
    placed = logged.placed if logged.has_positions else np.ones(split.num_rows, dtype=np.bool_)
    scene = Scene.of(split, config.tasks, predictions, placed, asked.top_k)
    if not scene.lists.num_lists:
        raise mistake("--top-k", f"fewer places than some request of {asked.split} has candidates", str(asked.top_k))
    reference, order_by = _reference(run, logged, scene)
    values, orders = compare_orders(scene, order_by, policies)
    signs = signs_of(config.tasks, [*config.policies.values(), *policies.values()])
    progress = partial(watcher.preparing, "sweeping weights")
    front = find_front(scene, order_by, policies, signs, progress)
    drawn = Scene.of(split, config.tasks, predictions, logged.placed & logged.drawn, asked.top_k)
    off_policy = None
    if drawn.lists.num_lists:
        everything, evidence = (_evidence(one, logged, split) for one in (scene, drawn))
        off_policy = estimate_policies(evidence, policies, everything.as_logged())
    return Replay(
        asked=asked,
        num_requests=scene.lists.num_lists,
        num_logged=len(np.unique(split.groups)),
        reference=reference,
        reference_values=values,
        orders=orders,
        front=front,
        off_policy=off_policy,
        notes=(*_notes(run, logged, split, drawn), *_doubts(off_policy)),
    )


def _reference(run: Run, logged: Logged, scene: Scene) -> tuple[str, Array]:
    """Its name, and what it orders by `[row]`."""
    if logged.has_positions:
        return TODAY, -logged.positions[scene.lists.rows]
    name, policy = next(iter(run.config.policies.items()))
    return name, scene.order_by(policy)


def _evidence(scene: Scene, logged: Logged, split: SplitData) -> Evidence:
    """Of the tasks that were observed in every impression of the scene."""
    rows = scene.lists.rows
    shown = scene.lists.top(-logged.positions[rows], scene.top_k)
    outcomes = np.asarray(split.values[rows], dtype=np.float64)
    known = {task.name: outcomes[shown, at] for at, task in enumerate(scene.tasks) if split.observed[rows, at].all()}
    return Evidence(scene, shown, logged.propensities[rows][shown], known)


def _notes(run: Run, logged: Logged, split: SplitData, drawn: Scene) -> Iterator[str]:
    config = run.config
    if config.data.keys.request is None:
        yield f"no `keys.request`: all that a user was shown in {split.name} counts as one request"
    elif not logged.has_positions:
        yield "no feature of side `impression` holds whole numbers, so today's order is not known"
    if not logged.has_positions:
        yield f"orders are held against policy `{next(iter(config.policies))}`"
    if config.data.propensity is None:
        yield "no `data.propensity`: no off-policy estimates"
    elif not drawn.lists.num_lists:
        yield f"no request with propensities among those of {split.name}: no off-policy estimates"
    else:
        rows = drawn.lists.rows
        partly = [f"`{task.name}`" for at, task in enumerate(config.tasks) if not split.observed[rows, at].all()]
        if partly:
            yield f"no off-policy estimates of {', '.join(partly)}: not observed in every impression"


def _doubts(found: OffPolicy | None) -> list[str]:
    return [f"`{name}`: {one.doubt}" for name, one in found.estimates.items() if one.doubt] if found else []
