"""Stitch: a learned linear mix of what the networks of several tasks hold at one layer."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

LETTERS = "tuvw"  # of the axes along which networks are counted, in einsum's equations
OWN = 0.9  # what a network keeps of its own at the start, as in Misra et al., section 5


class Stitch(nn.Module):
    """x'_i = sum_j alpha_ij x_j (Misra et al., CVPR 2016, equation 1), with i and j one of `counts`: a task, or a task
    and a subspace. Near identity at the start: the networks set out as if on their own.
    """

    def __init__(self, *counts: int) -> None:
        super().__init__()
        total = math.prod(counts)
        alpha = torch.full((total, total), (1 - OWN) / (total - 1)).fill_diagonal_(OWN)
        self.alpha = nn.Parameter(alpha.view(*counts, *counts))
        to, of = LETTERS[: len(counts)], LETTERS[: len(counts)].upper()
        self.equation = f"{to}{of},b{of}d->b{to}d"

    def forward(self, values: Float[Tensor, "batch *counts dim"]) -> Float[Tensor, "batch *counts dim"]:
        return torch.einsum(self.equation, self.alpha, values)
