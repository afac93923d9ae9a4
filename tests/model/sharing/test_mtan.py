"""MTAN: one network, and for each task a mask on every layer."""

import torch

from model.sharing.mtan import MTANConfig
from tests.model.sharing.plain import network, rows

IN_DIM, TASKS = 5, 3


def test_it_is_equations_1_and_2_of_the_paper() -> None:
    torch.manual_seed(0)
    mtan, hidden = MTANConfig(units=(6, 4, 3), mask_units=2).build(IN_DIM, TASKS), rows(7, IN_DIM)
    found = mtan(hidden)
    for task in range(TASKS):
        below, attended = hidden, None
        for layer, mask in zip(mtan.layers, mtan.masks, strict=True):
            seen = below if attended is None else torch.cat([below, attended], 1)
            put_out = network(layer, 0, below)
            attended = torch.sigmoid(network(mask, task, seen)) * put_out
            below = put_out
        torch.testing.assert_close(found[:, task], attended)


def test_a_mask_that_is_open_shows_the_shared_network() -> None:
    torch.manual_seed(0)
    mtan, hidden = MTANConfig(units=(6, 4), mask_units=2).build(IN_DIM, TASKS), rows(7, IN_DIM)
    with torch.no_grad():
        mtan.masks[-1].biases[-1].fill_(50.0)
    shared = network(mtan.layers[1], 0, network(mtan.layers[0], 0, hidden))
    torch.testing.assert_close(mtan(hidden), torch.stack([shared] * TASKS, 1))
