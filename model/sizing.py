"""Sizing: the widths with which one sharing architecture has as many parameters as another."""

import torch

from model.contract.mistakes import mistake
from model.ranker import NetworkConfig
from model.sharing.interface import SharingConfig
from model.towers import Towers

FARTHEST = 0.1  # what is not that near is no match


def num_parameters(sharing: SharingConfig, network: NetworkConfig, num_tasks: int) -> int:
    """Of the sharing architecture and the towers: not of embeddings, hidden layer and position bias, which are the same
    for all but `independent`, and there once a task. Raises InputError where there is no hidden layer.
    """
    hidden_units = network.hidden_units
    if hidden_units is None:
        raise mistake("network.hidden_units", "a width, for architectures to be matched by what follows it", "none")
    with torch.device("meta"):
        built = sharing.build(sharing.num_copies(num_tasks) * hidden_units, num_tasks)
        towers = Towers(built.out_dim, num_tasks, network.tower_units, network.dropout)
    return sum(one.numel() for module in (built, towers) for one in module.parameters())


def matched(sharing: SharingConfig, other: SharingConfig, network: NetworkConfig, num_tasks: int) -> SharingConfig:
    """`sharing` with all its widths scaled by one factor, to as many parameters as `other` has; as near as whole widths
    come. Raises InputError where that is not near.
    """

    def count(one: SharingConfig) -> int:
        return num_parameters(one, network, num_tasks)

    goal, low, high = count(other), 0.0, 1.0
    while count(sharing.scaled(high)) < goal:
        low, high = high, 2 * high
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if count(sharing.scaled(middle)) < goal else (low, middle)
    found = min(sharing.scaled(low), sharing.scaled(high), key=lambda one: abs(count(one) - goal))
    if abs(count(found) - goal) > FARTHEST * goal:
        expected = f"an architecture whose {goal:,} parameters others can have, in `sharing` and towers"
        raise mistake("match_parameters", expected, f"{count(found):,} as the nearest")
    return found
