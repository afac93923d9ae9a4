"""Independent: a network a task, each on its own block of the input."""

import torch

from model.sharing.independent import IndependentConfig
from tests.model.sharing.plain import network, rows

IN_DIM, TASKS = 5, 3


def test_every_task_has_its_own_network_and_input() -> None:
    torch.manual_seed(0)
    sharing, hidden = IndependentConfig(units=(6, 4)).build(TASKS * IN_DIM, TASKS), rows(7, TASKS * IN_DIM)
    found = sharing(hidden)
    for task in range(TASKS):
        own = hidden[:, task * IN_DIM : (task + 1) * IN_DIM]
        torch.testing.assert_close(found[:, task], network(sharing.networks, task, own))
    assert sharing.shared_parameters() == []
