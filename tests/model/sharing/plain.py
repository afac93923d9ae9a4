"""One of many maps or networks, one layer after another, as papers write it."""

import torch
from torch import Tensor

from model.batched import BatchedMLP
from model.entry import Entry


def network(networks: BatchedMLP, index: int | tuple[int, ...], values: Tensor) -> Tensor:
    """`[batch, dim]` to `[batch, out]`."""
    for layer, (weight, bias) in enumerate(zip(networks.weights, networks.biases, strict=True)):
        values = values @ weight[index] + bias[index]
        if not (networks.last_linear and layer == len(networks.weights) - 1):
            values = torch.relu(values)
    return values


def rows(count: int, dim: int, seed: int = 1) -> Tensor:
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed))


def mapped(entry: Entry, part: str, index: int, values: Tensor) -> Tensor:
    """What one of the maps of a part puts out, `[batch, out]`."""
    return values @ entry.weights[part][:, index] + entry.biases[part][index]
