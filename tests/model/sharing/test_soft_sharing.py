"""Soft sharing: separate networks, and two ties between them."""

import pytest
import torch

from model.sharing.soft_sharing import SoftSharing, SoftSharingConfig
from tests.model.sharing.plain import network, rows

IN_DIM, TASKS = 5, 3


def make(**options: object) -> SoftSharing:
    torch.manual_seed(0)
    return SoftSharingConfig.model_validate({"units": (6, 4)} | options).build(IN_DIM, TASKS)


def alike(sharing: SoftSharing) -> SoftSharing:
    """Every network a copy of the first."""
    with torch.no_grad():
        for one in sharing.parameters():
            one.copy_(one[:1].expand_as(one).clone())
    return sharing


def test_each_task_has_a_network_of_its_own() -> None:
    sharing, hidden = make(), rows(7, IN_DIM)
    for task in range(TASKS):
        torch.testing.assert_close(sharing(hidden)[:, task], network(sharing.networks, task, hidden))


def test_l2_is_the_squared_distance_of_every_pair_of_tasks_over_their_number() -> None:
    sharing = make(tie="l2", strength=0.5)
    whole = torch.cat([one.flatten(1) for one in sharing.parameters()], 1)
    pairs = [(whole[i] - whole[j]).square().sum() for i in range(TASKS) for j in range(i)]
    torch.testing.assert_close(sharing.penalty(), 0.5 * torch.stack(pairs).sum() / TASKS)
    assert alike(sharing).penalty() < 1e-9


def test_the_trace_norm_is_the_sum_of_the_singular_values_of_each_layer() -> None:
    sharing = make(tie="trace_norm", strength=0.5)
    total = torch.zeros(())
    for weight, bias in zip(sharing.networks.weights, sharing.networks.biases, strict=True):
        layer = torch.cat([weight.flatten(1), bias], 1)
        total = total + torch.linalg.eigvalsh(layer @ layer.T).clamp(min=0).sqrt().sum()
    torch.testing.assert_close(sharing.penalty(), 0.5 * total)


def test_of_parameters_of_one_size_the_trace_norm_favours_those_that_are_alike() -> None:
    sharing = make(tie="trace_norm")
    apart, size = sharing.penalty(), sum(one.square().sum() for one in sharing.parameters())
    together = alike(sharing).penalty()
    of_one_size = together * (size / sum(one.square().sum() for one in sharing.parameters())) ** 0.5
    assert of_one_size < 0.8 * apart


@pytest.mark.parametrize("tie", ["l2", "trace_norm"])
def test_what_the_penalty_pulls_at_comes_together(tie: str) -> None:
    sharing = make(tie=tie, strength=1.0)
    optimizer = torch.optim.Adam(sharing.parameters(), lr=0.01)
    before = [one.std(0).mean().item() for one in sharing.networks.weights]
    for _ in range(100):
        optimizer.zero_grad()
        sharing.penalty().backward()
        optimizer.step()
    assert all(one.std(0).mean() < 0.2 * was for one, was in zip(sharing.networks.weights, before, strict=True))
