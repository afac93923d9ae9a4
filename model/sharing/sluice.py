"""Sluice networks (Ruder et al., AAAI 2019): cross-stitch over subspaces of the layers, and a mixture of the layers."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from model.batched import BatchedMLP
from model.sharing.interface import Chance, Sharing, SharingConfig, Width
from model.sharing.stitch import Stitch


class SluiceConfig(SharingConfig):
    """A layer is `num_subspaces` times `subspace_units` wide; `orthogonality` weighs the penalty that keeps its
    subspaces apart.
    """

    min_tasks: ClassVar[int] = 2
    kind: Literal["sluice"] = "sluice"
    num_layers: PositiveInt = 2
    num_subspaces: int = Field(default=2, ge=2)
    subspace_units: Width = 48
    orthogonality: NonNegativeFloat = 0.01
    dropout: Chance = 0.0

    def build(self, in_dim: int, num_tasks: int) -> "Sluice":
        return Sluice(in_dim, num_tasks, self)


class Sluice(Sharing):
    """Alpha mixes the subspaces of all tasks after every layer, beta the layers to what the task's tower reads: the
    paper's two linear combinations, with its orthogonality constraint as a penalty on the weights of the subspaces.
    """

    def __init__(self, in_dim: int, num_tasks: int, config: SluiceConfig) -> None:
        super().__init__()
        self.out_dim = config.num_subspaces * config.subspace_units
        in_dims = [in_dim, *[self.out_dim] * (config.num_layers - 1)]
        counts = (num_tasks, config.num_subspaces)
        self.layers: Sequence[BatchedMLP] = nn.ModuleList(  # type: ignore[assignment]
            BatchedMLP(counts, (one, config.subspace_units), config.dropout) for one in in_dims
        )
        self.stitches = nn.ModuleList(Stitch(*counts) for _ in in_dims)
        self.beta = nn.Parameter(torch.full((config.num_layers, num_tasks), 1 / config.num_layers))
        self.orthogonality = config.orthogonality

    def forward(self, hidden: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch task out"]:
        outputs: list[Tensor] = []
        for layer, stitch in zip(self.layers, self.stitches, strict=True):
            outputs.append(stitch(layer(outputs[-1] if outputs else hidden)).flatten(2))
        return torch.einsum("lt,lbto->bto", self.beta, torch.stack(outputs))

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        """All but the last alphas and the betas, of which every task reads its own alone."""
        return [one for part in (*self.layers, *self.stitches[:-1]) for one in part.parameters()]

    def penalty(self) -> Float[Tensor, ""]:
        """||G_1^T G_2||_F^2 over the pairs of subspaces of every task and layer."""
        total = torch.zeros((), device=self.beta.device)
        for layer in self.layers:
            weight = layer.weights[0]
            products = torch.einsum("tsio,tSiO->tsSoO", weight, weight).square()
            of_itself = torch.einsum("tssoO->", products)
            total = total + (products.sum() - of_itself) / 2
        return self.orthogonality * total
