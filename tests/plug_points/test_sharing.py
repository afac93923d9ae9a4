"""What every sharing architecture promises; runs by itself on each that the table names."""

from typing import Any, get_args

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from model.contract.mistakes import InputError
from model.sharing import AnySharing
from model.sharing.interface import DirectSharing, Sharing, SharingConfig
from tests.model.builders import kinds
from training.config import parse

IN_DIM, NUM_TASKS, BATCH = 6, 3, 200
CONFIGS: tuple[type[SharingConfig], ...] = kinds(AnySharing)
adapter: TypeAdapter[SharingConfig] = TypeAdapter(AnySharing)
each = pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)


def make(config: type[SharingConfig], num_tasks: int = NUM_TASKS, seed: int = 0) -> Sharing:
    torch.manual_seed(seed)
    return config().build(in_dim(config, num_tasks), num_tasks).eval()


def in_dim(config: type[SharingConfig], num_tasks: int = NUM_TASKS) -> int:
    return IN_DIM if config.shares_inputs else IN_DIM * num_tasks


def hidden(config: type[SharingConfig], num_tasks: int = NUM_TASKS, batch: int = BATCH, seed: int = 0) -> Tensor:
    return torch.randn(batch, in_dim(config, num_tasks), generator=torch.Generator().manual_seed(seed))


def owners(config: type[SharingConfig]) -> Tensor:
    """`[task, parameter]`: whether a single parameter moves a task, told by gradients at several random places: a
    ReLU that sleeps in one is awake in another.
    """
    moved = []
    for seed in range(4):
        sharing = make(config, seed=seed)
        outputs = sharing(hidden(config, seed=seed)) * torch.randn(BATCH, 1, sharing.out_dim)
        per_task = [
            torch.autograd.grad(one.sum(), sharing.parameters(), retain_graph=True, allow_unused=True)
            for one in outputs.unbind(1)
        ]
        moved.append([flat(gradients, sharing) for gradients in per_task])
    return torch.stack([torch.stack(one) for one in moved]).any(0)


def flat(gradients: tuple[Tensor | None, ...], sharing: Sharing) -> Tensor:
    pairs = zip(gradients, sharing.parameters(), strict=True)
    return torch.cat(
        [(torch.zeros_like(one) if gradient is None else gradient).flatten() != 0 for gradient, one in pairs]
    )


def changed(sharing: Sharing, chosen: Tensor) -> Sharing:
    """With noise on the chosen parameters."""
    values = parameters_to_vector(sharing.parameters()).detach()
    vector_to_parameters(torch.where(chosen, values + torch.randn_like(values), values), sharing.parameters())
    return sharing


@each
def test_a_kind_in_the_config_builds_its_class_and_no_other_has_it(config: type[SharingConfig]) -> None:
    [kind] = kinds_of(config)
    assert [one for one in CONFIGS if kind in kinds_of(one)] == [config]
    assert config().kind == kind
    parsed = adapter.validate_python({"kind": kind})
    assert type(parsed) is config
    assert parsed == config()
    built = parsed.build(in_dim(config), NUM_TASKS)
    assert isinstance(built, Sharing)
    assert isinstance(built, DirectSharing) == config.is_direct


def kinds_of(config: type[SharingConfig]) -> tuple[str, ...]:
    return get_args(config.model_fields["kind"].annotation)


@each
def test_keys_that_it_does_not_know_are_refused(config: type[SharingConfig]) -> None:
    with pytest.raises(ValidationError, match="unheard_of"):
        adapter.validate_python({"kind": config.model_fields["kind"].default, "unheard_of": 1})


def test_a_kind_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python({"kind": "unheard of"})
    assert all(one.model_fields["kind"].default in str(caught.value) for one in CONFIGS)


@each
@pytest.mark.parametrize("num_tasks", [1, 2, 5])
@pytest.mark.parametrize("batch", [1, 2, 33])
@pytest.mark.parametrize("training", [False, True])
def test_each_task_of_each_row_gets_a_representation(
    config: type[SharingConfig], num_tasks: int, batch: int, training: bool
) -> None:
    num_tasks = max(num_tasks, config.min_tasks)
    sharing = make(config, num_tasks).train(training)
    found = sharing(hidden(config, num_tasks, batch))
    assert found.shape == (batch, num_tasks, sharing.out_dim)
    assert found.isfinite().all()


@each
def test_too_few_tasks_are_refused(config: type[SharingConfig], raw_config: dict[str, Any]) -> None:
    del raw_config["policies"]["satisfied"], raw_config["training"]["early_stop"]
    raw_config["policies"]["balanced"]["weights"] = raw_config["policies"]["engaged"]["weights"] = {"click": 1.0}
    raw_config["sharing"] = {"kind": config.model_fields["kind"].default}
    for num_tasks in range(1, 3):
        raw = raw_config | {"tasks": raw_config["tasks"][:num_tasks]}
        if num_tasks >= config.min_tasks:
            assert len(parse(raw, {}, "config").tasks) == num_tasks
        else:
            expected = f"sharing.kind: expected at least {config.min_tasks} tasks .* found {num_tasks}"
            with pytest.raises(InputError, match=expected):
                parse(raw, {}, "config")


@each
def test_a_gradient_reaches_every_parameter_and_the_input(config: type[SharingConfig]) -> None:
    sharing, given = make(config).train(), hidden(config).requires_grad_()
    found = sharing(given)
    ((found * torch.randn_like(found)).sum() + sharing.penalty()).backward()
    assert [name for name, one in sharing.named_parameters() if one.grad is None or not one.grad.any()] == []
    assert given.grad is not None
    assert given.grad.any(1).all()


@each
def test_shared_are_those_that_several_tasks_read_and_every_other_value_is_read_by_one(
    config: type[SharingConfig],
) -> None:
    sharing, counts = make(config), owners(config).sum(0)
    declared = {id(one) for one in sharing.shared_parameters()}
    assert len(declared) == len(sharing.shared_parameters())
    sizes = [one.numel() for one in sharing.parameters()]
    for (name, parameter), count in zip(sharing.named_parameters(), counts.split(sizes), strict=True):
        assert (count.max() > 1) == (id(parameter) in declared), name
    assert declared <= {id(one) for one in sharing.parameters()}


@each
def test_tasks_own_equal_shares(config: type[SharingConfig]) -> None:
    owned = owners(config)
    alone = owned & (owned.sum(0) == 1)
    assert len(set(alone.sum(1).tolist())) == 1


@each
def test_a_tasks_output_depends_on_no_parameter_of_another_task(config: type[SharingConfig]) -> None:
    owned, given = owners(config), hidden(config)
    for task in range(NUM_TASKS):
        torch.testing.assert_close(changed(make(config), ~owned[task])(given)[:, task], make(config)(given)[:, task])
        if owned[task].any():
            assert not torch.equal(changed(make(config), owned[task])(given)[:, task], make(config)(given)[:, task])


@each
@torch.no_grad()
def test_permuting_the_tasks_permutes_the_output_and_nothing_else(config: type[SharingConfig]) -> None:
    """Seven tasks, where nothing else has that length: every axis of seven is one of tasks."""
    num_tasks, order = 7, torch.tensor([2, 0, 6, 5, 1, 3, 4])
    sharing, given = make(config, num_tasks), hidden(config, num_tasks)
    sharing.train().penalty()  # it may bring buffers up to date
    expected, penalty = sharing.eval()(given)[:, order], sharing.penalty()
    for values in [*sharing.parameters(), *sharing.buffers()]:
        for axis in (axis for axis, length in enumerate(values.shape) if length == num_tasks):
            values.copy_(values.index_select(axis, order))
    if not config.shares_inputs:
        given = given.unflatten(1, (num_tasks, -1))[:, order].flatten(1)
    torch.testing.assert_close(sharing(given), expected)
    torch.testing.assert_close(sharing.penalty(), penalty)


@each
def test_eval_is_deterministic_row_by_row(config: type[SharingConfig]) -> None:
    sharing, given = make(config), hidden(config)
    whole = sharing(given)
    assert torch.equal(sharing(given), whole)
    assert torch.equal(sharing.penalty(), sharing.penalty())
    order = torch.randperm(BATCH)
    torch.testing.assert_close(sharing(given[order]), whole[order])
    torch.testing.assert_close(torch.cat([sharing(one) for one in given.split(1)]), whole)


@each
def test_scaled_it_has_other_widths_and_nothing_else(config: type[SharingConfig]) -> None:
    whole = config()
    assert whole.scaled(1.0) == whole
    narrow, wide = (whole.scaled(factor).build(in_dim(config), NUM_TASKS) for factor in (0.001, 2.0))
    assert 1 <= narrow.out_dim < make(config).out_dim
    assert wide.out_dim == 2 * make(config).out_dim
    assert wide(hidden(config)).isfinite().all()
