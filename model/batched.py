"""BatchedMLP: many small networks of one shape as one matrix product each layer: experts, and towers."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn


class BatchedMLP(nn.Module):
    """`count` ReLU networks of widths `units`; their input is one for all, `[batch, dim]`, or `[batch, count, dim]`.

    `last_linear` leaves the last layer without ReLU. Dropout follows every ReLU.
    """

    def __init__(self, count: int, units: Sequence[int], dropout: float = 0.0, last_linear: bool = False) -> None:
        super().__init__()
        pairs = list(pairwise(units))
        self.weights = nn.ParameterList([nn.Parameter(_uniform(count, i, o, fan_in=i)) for i, o in pairs])
        self.biases = nn.ParameterList([nn.Parameter(_uniform(count, o, fan_in=i)) for i, o in pairs])
        self.dropout, self.last_linear = nn.Dropout(dropout), last_linear

    def forward(self, values: Float[Tensor, "batch *count dim"]) -> Float[Tensor, "batch count out"]:
        for at, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            equation = "bi,eio->beo" if values.dim() == 2 else "bei,eio->beo"
            values = torch.einsum(equation, values, weight) + bias
            if not (self.last_linear and at == len(self.weights) - 1):
                values = self.dropout(torch.relu(values))
        return values


def _uniform(*shape: int, fan_in: int) -> Tensor:
    """torch.nn.Linear's own initialisation, for each of the networks."""
    bound = 1 / math.sqrt(fan_in)
    return torch.empty(shape).uniform_(-bound, bound)
