"""Soft sharing: a network a task, of one shape, tied to the others by a penalty on their difference."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import NonNegativeFloat
from torch import Tensor, nn

from model.batched import BatchedMLP
from model.sharing.interface import Chance, Sharing, SharingConfig, Widths


class SoftSharingConfig(SharingConfig):
    """`tie` is how difference is measured, `strength` what it weighs in the loss."""

    min_tasks: ClassVar[int] = 2
    kind: Literal["soft_sharing"] = "soft_sharing"
    units: Widths = (128, 64)
    tie: Literal["l2", "trace_norm"] = "l2"
    strength: NonNegativeFloat = 1e-3
    dropout: Chance = 0.0

    def build(self, in_dim: int, num_tasks: int) -> "SoftSharing":
        return SoftSharing(in_dim, num_tasks, self)


class SoftSharing(Sharing):
    """Of one layer's parameters, `[task, parameter]`, the tie is the squared distance of every task from the mean of
    all (Evgeniou & Pontil, KDD 2004, section 2.1; L2-constrained in Ma et al., KDD 2018), or the trace norm, which is
    small where the tasks' parameters are mixes of a few (Yang & Hospedales, ICLR 2017 workshop: last axis flattening).
    """

    def __init__(self, in_dim: int, num_tasks: int, config: SoftSharingConfig) -> None:
        super().__init__()
        self.networks = BatchedMLP(num_tasks, (in_dim, *config.units), config.dropout)
        self.out_dim = config.units[-1]
        self.tie, self.strength = TIES[config.tie], config.strength

    def forward(self, hidden: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch task out"]:
        return self.networks(hidden)

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        """None: the tasks meet in the penalty alone."""
        return []

    def penalty(self) -> Float[Tensor, ""]:
        layers = zip(self.networks.weights, self.networks.biases, strict=True)
        ties = [self.tie(torch.cat([weight.flatten(1), bias], 1)) for weight, bias in layers]
        return self.strength * torch.stack(ties).sum()


def _l2(parameters: Float[Tensor, "task parameter"]) -> Float[Tensor, ""]:
    return (parameters - parameters.mean(0)).square().sum()


def _trace_norm(parameters: Float[Tensor, "task parameter"]) -> Float[Tensor, ""]:
    return torch.linalg.matrix_norm(parameters, "nuc")


TIES: Mapping[str, Callable[[Tensor], Tensor]] = {"l2": _l2, "trace_norm": _trace_norm}
