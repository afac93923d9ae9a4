"""Shared bottom: one network, the same for every task."""

import torch

from model.sharing.shared_bottom import SharedBottomConfig


def test_all_tasks_get_the_output_of_one_network() -> None:
    torch.manual_seed(0)
    sharing, hidden = SharedBottomConfig(units=(6, 4)).build(5, 3), torch.randn(7, 5)
    first, second = sharing.bottom.weights
    expected = torch.relu(
        torch.relu(hidden @ first[0] + sharing.bottom.biases[0][0]) @ second[0] + sharing.bottom.biases[1][0]
    )
    torch.testing.assert_close(sharing(hidden), torch.stack([expected] * 3, 1))
    assert sharing.out_dim == 4
