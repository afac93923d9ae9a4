"""BatchedMLP: many small networks of one shape as one matrix product each layer: experts, and towers."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn


class BatchedMLP(nn.Module):
    """`count` ReLU networks of widths `units`: so many, or `[task, expert]`, where they are counted along several axes.

    Their input is one for all, `[batch, dim]`, one for each, `[batch, *count, dim]`, or one for each along the first
    axes only. `last_linear` leaves the last layer without ReLU. Dropout follows every ReLU.
    """

    def __init__(
        self, count: int | tuple[int, ...], units: Sequence[int], dropout: float = 0.0, last_linear: bool = False
    ) -> None:
        super().__init__()
        self.counts = counts = (count,) if isinstance(count, int) else count
        pairs = list(pairwise(units))
        self.weights = nn.ParameterList([nn.Parameter(_uniform(*counts, i, o, fan_in=i)) for i, o in pairs])
        self.biases = nn.ParameterList([nn.Parameter(_uniform(*counts, o, fan_in=i)) for i, o in pairs])
        self.dropout, self.last_linear = nn.Dropout(dropout), last_linear

    def forward(self, values: Float[Tensor, "batch *given dim"]) -> Float[Tensor, "batch *count out"]:
        counts = self.counts
        if values.dim() > 2:  # networks first: to each its own matrix
            given = values.movedim(0, -2)
            if further := len(counts) + 2 - given.dim():  # else a graph would have a copy that changes nothing
                given = given[(..., *[None] * further, slice(None), slice(None))].expand(*counts, -1, -1)
            values = given.flatten(0, -3)
        for at, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = _product(values, weight.flatten(0, -3), bias.flatten(0, -2))
            if not (self.last_linear and at == len(self.weights) - 1):
                values = self.dropout(values.relu_())
        return values.view(*counts, *values.shape[1:]).movedim(-2, 0)


def _product(
    values: Tensor, weight: Float[Tensor, "network dim out"], bias: Float[Tensor, "network out"]
) -> Float[Tensor, "network batch out"]:
    """Of values `[network, batch, dim]`, or `[batch, dim]` for all, which take one product of one wide matrix."""
    if values.dim() == 2:
        wide = torch.addmm(bias.flatten(), values, weight.transpose(0, 1).flatten(1))
        return wide.view(-1, *bias.shape).transpose(0, 1)
    return torch.baddbmm(bias.unsqueeze(1), values.contiguous(), weight)


def _uniform(*shape: int, fan_in: int) -> Tensor:
    """torch.nn.Linear's own initialisation, for each of the networks."""
    bound = 1 / math.sqrt(fan_in)
    return torch.empty(shape).uniform_(-bound, bound)
