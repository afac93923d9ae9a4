"""Multi-task attention network (Liu et al., CVPR 2019) for tabular data: one network, which every task masks."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.batched import BatchedMLP
from model.sharing.interface import Chance, Sharing, SharingConfig, Width, Widths


class MTANConfig(SharingConfig):
    """`units` are the layers of the shared network, `mask_units` the hidden layer of every mask's own."""

    kind: Literal["mtan"] = "mtan"
    units: Widths = (256, 64)
    mask_units: Width = 32
    dropout: Chance = 0.0

    def build(self, in_dim: int, num_tasks: int) -> "MTAN":
        return MTAN(in_dim, num_tasks, self)


class MTAN(Sharing):
    """a^_k = a_k * p (equation 1), a_k = sigmoid(h_k(g_k([u, a^_k of the layer below]))) (equation 2), with p what a
    shared layer puts out and u what it read. Convolutions have become linear layers, and a layer is a block: the
    paper's f, which halved the resolution between blocks, has nothing to do.
    """

    def __init__(self, in_dim: int, num_tasks: int, config: MTANConfig) -> None:
        super().__init__()
        pairs = pairwise((in_dim, *config.units))
        self.layers = nn.ModuleList(BatchedMLP(1, pair, config.dropout) for pair in pairs)
        seen = [in_dim, *(2 * below for below in config.units[:-1])]
        self.masks = nn.ModuleList(
            BatchedMLP(num_tasks, (one, config.mask_units, width), config.dropout, last_linear=True)
            for one, width in zip(seen, config.units, strict=True)
        )
        self.num_tasks, self.out_dim = num_tasks, config.units[-1]

    def forward(self, hidden: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch task out"]:
        shared, seen = hidden.unsqueeze(1), hidden
        for layer, mask in zip(self.layers, self.masks, strict=True):
            shared = layer(shared)
            attended = torch.sigmoid(mask(seen)) * shared
            seen = torch.cat([shared.expand(-1, self.num_tasks, -1), attended], 2)
        return attended

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        return list(self.layers.parameters())
