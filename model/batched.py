"""BatchedMLP: many small networks of one shape as one matrix product each layer: experts, and towers."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

LETTERS = "tuvw"  # of the axes along which networks are counted, in einsum's equations


class BatchedMLP(nn.Module):
    """`count` ReLU networks of widths `units`: so many, or `[task, expert]`, where they are counted along several axes.

    Their input is one for all, `[batch, dim]`, one for each, `[batch, *count, dim]`, or one for each along the first
    axes only. `last_linear` leaves the last layer without ReLU. Dropout follows every ReLU.
    """

    def __init__(
        self, count: int | tuple[int, ...], units: Sequence[int], dropout: float = 0.0, last_linear: bool = False
    ) -> None:
        super().__init__()
        counts = (count,) if isinstance(count, int) else count
        pairs = list(pairwise(units))
        self.weights = nn.ParameterList([nn.Parameter(_uniform(*counts, i, o, fan_in=i)) for i, o in pairs])
        self.biases = nn.ParameterList([nn.Parameter(_uniform(*counts, o, fan_in=i)) for i, o in pairs])
        self.dropout, self.last_linear = nn.Dropout(dropout), last_linear

    def forward(self, values: Float[Tensor, "batch *given dim"]) -> Float[Tensor, "batch *count out"]:
        for at, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            count, given = LETTERS[: weight.dim() - 2], LETTERS[: values.dim() - 2]
            values = torch.einsum(f"b{given}i,{count}io->b{count}o", values, weight) + bias
            if not (self.last_linear and at == len(self.weights) - 1):
                values = self.dropout(torch.relu(values))
        return values


def _uniform(*shape: int, fan_in: int) -> Tensor:
    """torch.nn.Linear's own initialisation, for each of the networks."""
    bound = 1 / math.sqrt(fan_in)
    return torch.empty(shape).uniform_(-bound, bound)
