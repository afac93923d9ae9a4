"""Deep relation networks (Long et al., NeurIPS 2017): a prior on the tasks' layers that learns how they are related."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import NonNegativeFloat
from torch import Tensor, nn

from model.batched import BatchedMLP
from model.sharing.interface import Chance, Sharing, SharingConfig, Widths

SHRINKAGE = 0.1  # of a covariance towards the identity: no variance is then below a tenth of the mean


class DeepRelationConfig(SharingConfig):
    """`shared_units` are the layers of all tasks, `task_units` those of each, under the prior; `strength` is what the
    prior weighs in the loss.
    """

    min_tasks: ClassVar[int] = 2
    kind: Literal["deep_relation"] = "deep_relation"
    shared_units: Widths = (128,)
    task_units: Widths = (64,)
    strength: NonNegativeFloat = 1e-3
    dropout: Chance = 0.0

    def build(self, in_dim: int, num_tasks: int) -> "DeepRelation":
        return DeepRelation(in_dim, num_tasks, self)


class DeepRelation(Sharing):
    """A layer's weights over all tasks, `[task, in, out]`, are drawn from one tensor-normal distribution, whose
    covariances of tasks, of inputs and of outputs are estimated from the weights while these are fitted (MAP).
    """

    def __init__(self, in_dim: int, num_tasks: int, config: DeepRelationConfig) -> None:
        super().__init__()
        self.shared = BatchedMLP(1, (in_dim, *config.shared_units), config.dropout)
        self.networks = BatchedMLP(num_tasks, (config.shared_units[-1], *config.task_units), config.dropout)
        self.priors = nn.ModuleList(TensorNormal(*weight.shape) for weight in self.networks.weights)
        self.out_dim, self.strength = config.task_units[-1], config.strength

    def forward(self, hidden: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch task out"]:
        return self.networks(self.shared(hidden).squeeze(1))

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        return list(self.shared.parameters())

    def penalty(self) -> Float[Tensor, ""]:
        """In training the covariances are first brought up to date with the weights."""
        pairs = list(zip(self.priors, self.networks.weights, strict=True))
        if self.training:
            for prior, weight in pairs:
                prior.update(weight.detach())  # type: ignore[operator]
        return self.strength * torch.stack([prior(weight) for prior, weight in pairs]).sum()


class TensorNormal(nn.Module):
    """-log p(W) = 1/2 vec(W)^T (S_task x S_in x S_out)^-1 vec(W), x the Kronecker product, up to what W is not in.

    The covariances follow the weights by the paper's flip-flop rule, each in closed form from W and the other two, once
    a step. Where the paper adds a small multiple of the identity, every covariance here is scaled to a mean variance
    of 1 and shrunk towards the identity: W could else make the prior as tight as it likes by growing small.
    """

    task: Tensor
    input: Tensor
    output: Tensor

    def __init__(self, num_tasks: int, in_dim: int, out_dim: int) -> None:
        super().__init__()
        for name, size in (("task", num_tasks), ("input", in_dim), ("output", out_dim)):
            self.register_buffer(name, torch.eye(size))

    def forward(self, weight: Float[Tensor, "task dim out"]) -> Float[Tensor, ""]:
        precisions = [torch.linalg.inv(one) for one in (self.task, self.input, self.output)]
        return torch.einsum("tio,tT,iI,oO,TIO->", weight, *precisions, weight) / 2

    def update(self, weight: Float[Tensor, "task dim out"]) -> None:
        inverse = torch.linalg.inv
        self.task.copy_(
            _scaled(torch.einsum("tio,iI,oO,TIO->tT", weight, inverse(self.input), inverse(self.output), weight))
        )
        self.input.copy_(
            _scaled(torch.einsum("tio,tT,oO,TIO->iI", weight, inverse(self.task), inverse(self.output), weight))
        )
        self.output.copy_(
            _scaled(torch.einsum("tio,tT,iI,TIO->oO", weight, inverse(self.task), inverse(self.input), weight))
        )


def _scaled(scatter: Float[Tensor, "dim dim"]) -> Float[Tensor, "dim dim"]:
    covariance = scatter / scatter.diagonal().mean().clamp(min=torch.finfo(scatter.dtype).tiny)
    return torch.lerp(covariance, torch.eye(len(scatter), device=scatter.device), SHRINKAGE)
