"""PLE: the equations of its paper in a plain loop, and which experts tasks come to share."""

import pytest
import torch
from torch import Tensor

from model.sharing.ple import PLE, Level, PLEConfig
from tests.model.sharing.plain import network, rows

IN_DIM, TASKS, SHARED, OWN = 5, 3, 2, 4


def make(num_levels: int) -> PLE:
    torch.manual_seed(0)
    config = PLEConfig(
        num_levels=num_levels, num_shared_experts=SHARED, num_task_experts=OWN, expert_units=(6, 5), gate_dropout=0.3
    )
    return config.build(IN_DIM, TASKS).eval()


def one_level(level: Level, of_tasks: list[Tensor], shared: Tensor) -> tuple[list[Tensor], Tensor | None]:
    """Equations 1 to 3: what each task's gate makes of its own experts and the shared; what the shared gate makes of
    all.
    """
    common = [network(level.shared_experts, at, shared) for at in range(SHARED)]
    own = [[network(level.task_experts, (task, at), of_tasks[task]) for at in range(OWN)] for task in range(TASKS)]
    mixed = []
    for task in range(TASKS):
        weights = torch.softmax(network(level.logits, task, of_tasks[task]), 1)
        experts = torch.stack([*common, *own[task]], 1)
        mixed.append((weights.unsqueeze(2) * experts).sum(1))
    gate = level.shared_gate
    if gate is None:
        return mixed, None
    logits = [network(gate.to_shared, 0, shared), *(network(gate.to_tasks, task, shared) for task in range(TASKS))]
    experts = torch.stack([*common, *(one for some in own for one in some)], 1)
    return mixed, (torch.softmax(torch.cat(logits, 1), 1).unsqueeze(2) * experts).sum(1)


@pytest.mark.parametrize("num_levels", [1, 2, 3])
def test_it_is_the_equations_of_the_paper(num_levels: int) -> None:
    ple, hidden = make(num_levels), rows(6, IN_DIM)
    of_tasks: list[Tensor] = [hidden] * TASKS
    shared: Tensor | None = hidden
    for level in ple.levels:
        assert shared is not None
        of_tasks, shared = one_level(level, of_tasks, shared)
    assert shared is None
    torch.testing.assert_close(ple(hidden), torch.stack(of_tasks, 1))


@pytest.mark.parametrize("num_levels", [1, 2, 3, 4])
def test_shared_are_those_that_several_tasks_read(num_levels: int) -> None:
    ple = make(num_levels)
    outputs = ple(rows(400, IN_DIM)) * torch.randn(400, 1, ple.out_dim)
    gradients = [
        torch.autograd.grad(one.sum(), ple.parameters(), retain_graph=True, materialize_grads=True)
        for one in outputs.unbind(1)
    ]
    shared = {id(one) for one in ple.shared_parameters()}
    for (name, one), of_tasks in zip(ple.named_parameters(), zip(*gradients, strict=True), strict=True):
        readers = sum((gradient != 0).int() for gradient in of_tasks)
        assert (torch.as_tensor(readers).max() > 1) == (id(one) in shared), name


def test_in_training_the_shared_gate_drops_experts_too() -> None:
    level = make(2).train().levels[0]
    assert level.shared_gate is not None
    hidden, ones = rows(500, IN_DIM), torch.eye(SHARED + TASKS * OWN)
    shared = ones[:SHARED].expand(500, -1, -1)
    own = ones[SHARED:].view(TASKS, OWN, -1).expand(500, -1, -1, -1)
    weights = level.shared_gate(hidden, shared, own)
    torch.testing.assert_close(weights.sum(1), torch.ones(500))
    assert 0.25 < (weights == 0).float().mean() < 0.35
