"""Conditioned network: one network for all tasks, told by a descriptor which task it works for."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import PositiveInt
from torch import Tensor, nn

from model.sharing.interface import Chance, Sharing, SharingConfig, Widths


class ConditionedConfig(SharingConfig):
    """`conditioning` is how each layer takes in the task's descriptor, a learned vector of `descriptor_dim`."""

    kind: Literal["conditioned"] = "conditioned"
    conditioning: Literal["concatenation", "additive", "multiplicative"] = "multiplicative"
    descriptor_dim: PositiveInt = 16
    units: Widths = (256, 64)
    dropout: Chance = 0.0

    def build(self, in_dim: int, num_tasks: int) -> "Conditioned":
        return Conditioned(in_dim, num_tasks, self)


class Conditioned(Sharing):
    """What is shared depends on the conditioning: concatenation and additive are one class of functions, in which a
    task has a bias of its own; multiplicative holds the independent networks too, each behind gates that shut the
    others' units off.
    """

    def __init__(self, in_dim: int, num_tasks: int, config: ConditionedConfig) -> None:
        super().__init__()
        layer = CONDITIONINGS[config.conditioning]
        self.descriptors = nn.Parameter(torch.randn(num_tasks, config.descriptor_dim))
        self.layers = nn.ModuleList(
            layer(below, config.descriptor_dim, width) for below, width in pairwise((in_dim, *config.units))
        )
        self.dropout, self.out_dim = nn.Dropout(config.dropout), config.units[-1]

    def forward(self, hidden: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch task out"]:
        values = hidden.unsqueeze(1)
        for layer in self.layers:
            values = self.dropout(torch.relu(layer(values, self.descriptors)))
        return values

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        return list(self.layers.parameters())


class Concatenation(nn.Module):
    """W [x, z] + b."""

    def __init__(self, in_dim: int, descriptor_dim: int, out_dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_dim + descriptor_dim, out_dim)

    def forward(
        self, values: Float[Tensor, "batch given dim"], descriptors: Float[Tensor, "task descriptor"]
    ) -> Float[Tensor, "batch task out"]:
        both = values.expand(-1, len(descriptors), -1), descriptors.expand(values.shape[0], -1, -1)
        return self.linear(torch.cat(both, 2))


class Additive(nn.Module):
    """W x + b + V z."""

    def __init__(self, in_dim: int, descriptor_dim: int, out_dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_dim, out_dim)
        self.of_task = nn.Linear(descriptor_dim, out_dim, bias=False)

    def forward(
        self, values: Float[Tensor, "batch given dim"], descriptors: Float[Tensor, "task descriptor"]
    ) -> Float[Tensor, "batch task out"]:
        return self.linear(values) + self.of_task(descriptors)


class Multiplicative(nn.Module):
    """(W x + b) * (1 + V z)."""

    def __init__(self, in_dim: int, descriptor_dim: int, out_dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_dim, out_dim)
        self.of_task = nn.Linear(descriptor_dim, out_dim, bias=False)

    def forward(
        self, values: Float[Tensor, "batch given dim"], descriptors: Float[Tensor, "task descriptor"]
    ) -> Float[Tensor, "batch task out"]:
        return self.linear(values) * (1 + self.of_task(descriptors))


CONDITIONINGS: Mapping[str, type[nn.Module]] = {
    "concatenation": Concatenation,
    "additive": Additive,
    "multiplicative": Multiplicative,
}
