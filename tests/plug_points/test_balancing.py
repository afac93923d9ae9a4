"""What every loss balancer promises; runs by itself on each that the table names."""

from collections.abc import Sequence
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn

from model.contract.tasks import Task
from tests.model.builders import SCALES, TASKS, full_schema, kinds, make_arrays, make_encoder, make_ranker, tensors
from tests.training.balancing.toys import tasks
from training.balancing import AnyBalancing
from training.balancing.interface import BalancingConfig, LossBalancer
from training.labels import targets_of
from training.losses import task_losses

KINDS = ("binary", "regression", "regression")
NUM_TASKS, DIM, NUM_STEPS = len(KINDS), 5, 4
CONFIGS: tuple[type[BalancingConfig], ...] = kinds(AnyBalancing)
adapter: TypeAdapter[BalancingConfig] = TypeAdapter(AnyBalancing)
each = pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)


class Toy(nn.Module):
    """Tasks that pull at one shared parameter, each with a parameter of its own that its loss is multiplied by."""

    def __init__(self, num_tasks: int, seed: int) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)
        self.shared = nn.Parameter(torch.zeros(DIM))
        self.own = nn.ParameterList([nn.Parameter(torch.ones(1)) for _ in range(num_tasks)])
        self.rows = torch.zeros(num_tasks, DIM)

    def losses(self, order: Sequence[int]) -> Tensor:
        """Of another batch each time, in this order of the tasks."""
        rows, values = (torch.rand(len(self.own), size, generator=self.generator) for size in (DIM, 1))
        self.rows = (rows - 0.5)[list(order)]
        own = torch.cat(list(self.own))
        return ((rows - 0.5) @ self.shared + 0.1 + values.squeeze(1))[list(order)] * own[list(order)]


def gradient(parameter: nn.Parameter) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


def step(balancer: LossBalancer, toy: Toy, order: Sequence[int] = range(NUM_TASKS)) -> tuple[Tensor, Tensor]:
    """The shared gradient and the weights of one more step, after which an epoch ends."""
    toy.zero_grad()
    balancer.zero_grad()
    losses = toy.losses(order)
    balancer.backward(losses, [toy.shared])
    with torch.no_grad():
        for one in balancer.parameters():
            one -= 0.1 * gradient(one)
    found = gradient(toy.shared).clone(), balancer.weights.clone()
    balancer.end_epoch(losses.detach())
    return found


@each
def test_a_kind_in_the_config_builds_its_class(config: type[BalancingConfig]) -> None:
    [kind] = get_args(config.model_fields["kind"].annotation)
    parsed = adapter.validate_python({"kind": kind})
    assert type(parsed) is config
    assert parsed == config()
    assert isinstance(parsed.build(tasks(*KINDS)), LossBalancer)


@each
def test_keys_that_it_does_not_know_are_refused(config: type[BalancingConfig]) -> None:
    with pytest.raises(ValidationError, match="unheard_of"):
        adapter.validate_python({"kind": config.model_fields["kind"].default, "unheard_of": 1})


def test_a_kind_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python({"kind": "unheard of"})
    assert all(one.model_fields["kind"].default in str(caught.value) for one in CONFIGS)


@each
@pytest.mark.parametrize("sharing", ["mmoe", "shared_bottom"])
def test_a_gradient_reaches_every_parameter_of_a_ranker_and_its_own(
    config: type[BalancingConfig], sharing: str
) -> None:
    encoder = make_encoder(full_schema())
    ranker = make_ranker(encoder, sharing={"kind": sharing}).train()
    random = np.random.default_rng(0)
    labels = np.stack(
        [random.integers(2, size=200) if one.kind == "binary" else random.normal(size=200) for one in TASKS]
    )
    targets = torch.from_numpy(targets_of(TASKS, SCALES, np.abs(labels.T)))
    logits = ranker(tensors(make_arrays(encoder, 200)))
    losses = task_losses([one.kind for one in TASKS], logits, targets, torch.ones(200, len(TASKS), dtype=torch.bool))
    balancer = config().build(TASKS)
    balancer.backward(losses, ranker.shared_parameters())
    named = [*ranker.named_parameters(), *balancer.named_parameters()]
    assert [name for name, one in named if one.grad is None or not one.grad.any()] == []


@each
def test_what_is_shared_gets_the_tasks_gradients_times_their_weights(config: type[BalancingConfig]) -> None:
    balancer, toy = config().build(tasks(*KINDS)), Toy(NUM_TASKS, seed=0)
    for _ in range(NUM_STEPS):
        found, weights = step(balancer, toy)
        torch.testing.assert_close(found, weights @ toy.rows)
        assert (weights >= 0).all()


@each
def test_what_is_a_tasks_own_gets_the_gradient_of_its_own_loss(config: type[BalancingConfig]) -> None:
    balancer, toy = config().build(tasks(*KINDS)), Toy(NUM_TASKS, seed=0)
    losses = toy.losses(range(NUM_TASKS))
    balancer.backward(losses, [toy.shared])
    ratios = torch.cat([gradient(one) for one in toy.own]) / losses.detach()
    one, weighted = torch.ones(NUM_TASKS), balancer.weights
    assert torch.allclose(ratios, one) or torch.allclose(ratios, weighted)


@each
def test_permuting_the_tasks_permutes_weights_and_nothing_else(config: type[BalancingConfig]) -> None:
    order, given = [2, 0, 1], tasks(*KINDS, weights=(1.0, 0.5, 2.0))
    balancer, permuted = config().build(given), config().build([given[at] for at in order])
    toy, other = Toy(NUM_TASKS, seed=0), Toy(NUM_TASKS, seed=0)
    for _ in range(NUM_STEPS):
        (found, weights), (same, moved) = step(balancer, toy), step(permuted, other, order)
        torch.testing.assert_close(moved, weights[order], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(same, found, rtol=1e-4, atol=1e-5)


@each
def test_tasks_that_are_alike_count_alike(config: type[BalancingConfig]) -> None:
    shared = nn.Parameter(torch.zeros(DIM))
    balancer = config().build(tasks("regression", "regression", "regression"))
    for _ in range(NUM_STEPS):
        shared.grad = None
        losses = torch.eye(DIM)[:NUM_TASKS] @ shared + 0.5
        balancer.backward(losses, [shared])
        balancer.end_epoch(losses.detach())
        torch.testing.assert_close(balancer.weights, balancer.weights[:1].expand(NUM_TASKS), rtol=1e-3, atol=0)
        assert balancer.weights[0] > 0


@each
def test_a_single_task_goes_its_own_way(config: type[BalancingConfig]) -> None:
    balancer, toy = config().build(tasks("binary")), Toy(1, seed=0)
    for _ in range(NUM_STEPS):
        found, _ = step(balancer, toy, [0])
        torch.testing.assert_close(found / found.norm(), toy.rows[0] / toy.rows[0].norm())


@each
def test_what_it_keeps_is_in_its_state(config: type[BalancingConfig]) -> None:
    unbroken, toy = config().build(tasks(*KINDS)), Toy(NUM_TASKS, seed=0)
    for _ in range(NUM_STEPS):
        step(unbroken, toy)
    resumed = config().build(tasks(*KINDS))
    resumed.load_state_dict({name: one.clone() for name, one in unbroken.state_dict().items()})
    torch.testing.assert_close(resumed.weights, unbroken.weights, rtol=0, atol=0)
    state = toy.generator.get_state()
    expected = [step(unbroken, toy) for _ in range(NUM_STEPS)]
    toy.generator.set_state(state)
    for left, right in zip(expected, [step(resumed, toy) for _ in range(NUM_STEPS)], strict=True):
        for one, other in zip(left, right, strict=True):
            assert torch.equal(one, other)


@each
@pytest.mark.parametrize("absent", [[0], [2], [0, 1], [0, 1, 2]])
def test_tasks_that_a_batch_has_no_row_of_have_no_say_in_it(config: type[BalancingConfig], absent: list[int]) -> None:
    balancer, toy = config().build(tasks(*KINDS)), Toy(NUM_TASKS, seed=0)
    here = torch.tensor([0.0 if at in absent else 1.0 for at in range(NUM_TASKS)])
    for seen in (here, torch.ones(NUM_TASKS), here):  # from the first step on, and later
        toy.zero_grad()
        losses = toy.losses(range(NUM_TASKS)) * seen
        optimised = balancer.backward(losses, [toy.shared])
        assert optimised.isfinite()
        torch.testing.assert_close(gradient(toy.shared), balancer.weights * seen @ toy.rows)
        assert balancer.weights[seen > 0].any() == seen.any()
        balancer.end_epoch(losses.detach())
        assert balancer.weights.isfinite().all()


NUMBERS = st.floats(-1, 1, width=32)
SIZES = st.sampled_from([0.0, 1e-30, 1e-12, 1e-3, 1.0, 1e3, 1e12])


@each
@settings(max_examples=40)
@given(
    rows=st.lists(st.lists(NUMBERS, min_size=2, max_size=2), min_size=3, max_size=3),
    sizes=st.lists(SIZES, min_size=3, max_size=3),
    values=st.lists(SIZES, min_size=3, max_size=3),
)
def test_finite_losses_and_gradients_make_nothing_that_is_not(
    config: type[BalancingConfig], rows: list[list[float]], sizes: list[float], values: list[float]
) -> None:
    """Of sizes far apart, against each other, along each other, none at all."""
    balancer, shared = config().build(tasks(*KINDS)), nn.Parameter(torch.zeros(2))
    for _ in range(2):
        shared.grad = None
        losses = torch.tensor(rows) @ shared * torch.tensor(sizes) + torch.tensor(values)
        optimised = balancer.backward(losses, [shared])
        balancer.end_epoch(losses.detach())
        state = [*balancer.state_dict().values(), *(gradient(one) for one in balancer.parameters())]
        assert all(one.isfinite().all() for one in [*state, optimised, gradient(shared)])


def test_only_those_that_weigh_gradients_need_some_that_are_shared() -> None:
    """The others leave everything to the losses, with no parameter named as shared."""
    given: list[Task] = tasks(*KINDS)
    for config in CONFIGS:
        if not config.needs_shared:
            toy = Toy(NUM_TASKS, seed=0)
            balancer = config().build(given)
            balancer.backward(toy.losses(range(NUM_TASKS)), [])
            torch.testing.assert_close(gradient(toy.shared), balancer.weights @ toy.rows)
    assert {one.model_fields["kind"].default for one in CONFIGS if one.needs_shared} == {"grad_norm", "jacobian"}
