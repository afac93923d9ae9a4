"""PiecewiseLinear: quantities to how much of each of their quantile intervals they fill."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

Knots = Mapping[str, Sequence[NDArray[Any]]]  # encoded array -> for each of its columns the ends of its intervals


class PiecewiseLinear(nn.Module):
    """Component t of a value x is min(max((x - b_{t-1}) / (b_t - b_{t-1}), 0), 1) (Gorishniy et al., On Embeddings for
    Numerical Features in Tabular Deep Learning, NeurIPS 2022, equation 1; here the outer intervals are closed too). A
    linear layer of the components is a piecewise-linear function of the value, with knots where the data are.
    """

    column: Tensor
    start: Tensor
    length: Tensor

    def __init__(self, knots: Sequence[NDArray[Any]]) -> None:
        """`knots` has for each column its strictly increasing knots; fewer than two give it no component."""
        super().__init__()
        columns = [np.full(max(len(one) - 1, 0), at) for at, one in enumerate(knots)]
        self.register_buffer("column", torch.from_numpy(np.concatenate(columns)))
        self.register_buffer("start", _joined([one[:-1] for one in knots]))
        self.register_buffer("length", _joined([np.diff(one) for one in knots]))
        self.out_dim = len(self.start)

    def forward(self, values: Float[Tensor, "batch column"]) -> Float[Tensor, "batch component"]:
        return ((values[:, self.column] - self.start) / self.length).clamp(0, 1)


def _joined(parts: Sequence[NDArray[Any]]) -> Tensor:
    return torch.from_numpy(np.concatenate(parts).astype(np.float32))
