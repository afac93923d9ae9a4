"""Towers: one network a task, which starts at its task's mean."""

import torch

from model.towers import Towers


def test_each_task_has_a_tower_of_its_own() -> None:
    torch.manual_seed(0)
    towers, shared = Towers(5, 3, (4,), dropout=0.0), torch.randn(6, 3, 5)
    logits = towers(shared)
    assert logits.shape == (6, 3)
    changed = shared.clone()
    changed[:, 1] += 1
    assert ((towers(changed) != logits).any(0)).tolist() == [False, True, False]
    for index in range(3):
        hidden = torch.relu(shared[:, index] @ towers.networks.weights[0][index] + towers.networks.biases[0][index])
        expected = hidden @ towers.networks.weights[1][index] + towers.networks.biases[1][index]
        torch.testing.assert_close(logits[:, index : index + 1], expected)


def test_they_start_at_the_means() -> None:
    towers = Towers(5, 3, (), dropout=0.0)
    towers.start_at([-3.0, 0.0, 2.5])
    torch.testing.assert_close(towers(torch.zeros(2, 3, 5)), torch.tensor([[-3.0, 0.0, 2.5]] * 2))
