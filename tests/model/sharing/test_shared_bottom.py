"""Shared bottom: one network, the same for every task."""

import torch

from model.sharing.shared_bottom import SharedBottomConfig
from tests.model.sharing.plain import mapped, network


def test_all_tasks_get_the_output_of_one_network() -> None:
    torch.manual_seed(0)
    sharing, hidden = SharedBottomConfig(units=(6, 4)).build(5, 3), torch.randn(7, 5)
    expected = network(sharing.bottom, 0, torch.relu(mapped(sharing.entry, "bottom", 0, hidden)))
    torch.testing.assert_close(sharing(hidden), torch.stack([expected] * 3, 1))
    assert sharing.out_dim == 4
