"""What every sharing architecture promises; runs by itself on each that the table names."""

from pathlib import Path
from typing import get_args

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from model.sharing import AnySharing
from model.sharing.interface import Sharing, SharingConfig
from tests.model.builders import kinds
from tests.model.exporting import check, export_apart, sharings

IN_DIM, NUM_TASKS, BATCH = 6, 3, 200
CONFIGS: tuple[type[SharingConfig], ...] = kinds(AnySharing)
adapter: TypeAdapter[SharingConfig] = TypeAdapter(AnySharing)
each = pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)


def make(config: type[SharingConfig], num_tasks: int = NUM_TASKS, seed: int = 0) -> Sharing:
    torch.manual_seed(seed)
    return config().build(IN_DIM, num_tasks).eval()


def hidden(batch: int = BATCH, seed: int = 0) -> Tensor:
    return torch.randn(batch, IN_DIM, generator=torch.Generator().manual_seed(seed))


def owners(config: type[SharingConfig]) -> Tensor:
    """`[task, parameter]`: whether a single parameter moves a task, told by gradients at several random places: a
    ReLU that sleeps in one is awake in another.
    """
    moved = []
    for seed in range(4):
        sharing = make(config, seed=seed)
        outputs = sharing(hidden(seed=seed)) * torch.randn(BATCH, 1, sharing.out_dim)
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
    assert isinstance(parsed.build(IN_DIM, NUM_TASKS), Sharing)


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
    sharing = make(config, num_tasks).train(training)
    found = sharing(hidden(batch))
    assert found.shape == (batch, num_tasks, sharing.out_dim)
    assert found.isfinite().all()


@each
def test_a_gradient_reaches_every_parameter_and_the_input(config: type[SharingConfig]) -> None:
    sharing, given = make(config).train(), hidden().requires_grad_()
    found = sharing(given)
    (found * torch.randn_like(found)).sum().backward()
    assert [name for name, one in sharing.named_parameters() if one.grad is None or not one.grad.any()] == []
    assert given.grad is not None
    assert given.grad.any(1).all()


@each
def test_every_parameter_belongs_to_all_tasks_or_to_one(config: type[SharingConfig]) -> None:
    counts = owners(config).sum(0)
    assert set(counts.tolist()) <= {1, NUM_TASKS}


@each
def test_tasks_own_equal_shares(config: type[SharingConfig]) -> None:
    owned = owners(config)
    alone = owned & (owned.sum(0) == 1)
    assert len(set(alone.sum(1).tolist())) == 1


@each
def test_a_tasks_output_depends_on_no_parameter_of_another_task(config: type[SharingConfig]) -> None:
    owned = owners(config)
    for task in range(NUM_TASKS):
        foreign = ~owned[task]
        torch.testing.assert_close(changed(make(config), foreign)(hidden())[:, task], make(config)(hidden())[:, task])
        if owned[task].any():
            assert not torch.equal(
                changed(make(config), owned[task])(hidden())[:, task], make(config)(hidden())[:, task]
            )


@each
def test_permuting_the_tasks_parameters_permutes_the_output_and_nothing_else(config: type[SharingConfig]) -> None:
    owned, order = owners(config), [2, 0, 1]
    alone = owned & (owned.sum(0) == 1)
    sharing, expected = make(config), make(config)(hidden())[:, order]
    values = parameters_to_vector(sharing.parameters()).detach()
    permuted = values.clone()
    for place, task in enumerate(order):
        permuted[alone[place]] = values[alone[task]]
    vector_to_parameters(permuted, sharing.parameters())
    torch.testing.assert_close(sharing(hidden()), expected)


@each
def test_eval_is_deterministic_row_by_row(config: type[SharingConfig]) -> None:
    sharing, given = make(config), hidden()
    whole = sharing(given)
    assert torch.equal(sharing(given), whole)
    order = torch.randperm(BATCH)
    torch.testing.assert_close(sharing(given[order]), whole[order])
    torch.testing.assert_close(torch.cat([sharing(one) for one in given.split(1)]), whole)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sharings")
    export_apart("sharings", folder)
    return folder


@each
@pytest.mark.parametrize("num_candidates", [1, 2, 500])
def test_it_exports(exported: Path, config: type[SharingConfig], num_candidates: int) -> None:
    check(sharings()[config.__name__], exported / config.__name__, num_candidates)
