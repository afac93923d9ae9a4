"""Multi-gate mixture of experts (Ma et al., KDD 2018, equations 6 and 7), with gate dropout against polarisation."""

from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from model.batched import BatchedMLP
from model.sharing.interface import Sharing, SharingConfig


class MMoEConfig(SharingConfig):
    """`gate_dropout` is the chance that an expert is left out of a task's mixture in training."""

    kind: Literal["mmoe"] = "mmoe"
    num_experts: int = Field(default=8, ge=2)
    expert_units: tuple[PositiveInt, ...] = Field(default=(128, 64), min_length=1)
    gate_dropout: float = Field(default=0.1, ge=0, lt=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)

    def build(self, in_dim: int, num_tasks: int) -> "MMoE":
        return MMoE(in_dim, num_tasks, self)


class MMoE(Sharing):
    """f_k(x) = sum_i g_k(x)_i f_i(x), g_k(x) = softmax(W_k x), experts f_i ReLU networks."""

    def __init__(self, in_dim: int, num_tasks: int, config: MMoEConfig) -> None:
        super().__init__()
        self.experts = BatchedMLP(config.num_experts, (in_dim, *config.expert_units), dropout=config.dropout)
        self.gates = nn.Linear(in_dim, num_tasks * config.num_experts)
        self.num_tasks, self.gate_dropout = num_tasks, config.gate_dropout
        self.out_dim = config.expert_units[-1]

    def forward(self, hidden: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch task out"]:
        return torch.einsum("bte,beo->bto", self.mixture(hidden), self.experts(hidden))

    def mixture(self, hidden: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch task expert"]:
        """The gates' weights, which sum to 1 over the experts.

        In training an expert's weight is set to 0 with chance `gate_dropout` and the rest renormalised (Zhao et al.,
        RecSys 2019, section 4.2: a gate that collapses onto one expert thereby recovers). Done before the softmax, to
        the same effect: a gate that has collapsed leaves weights too small to divide by.
        """
        logits = self.gates(hidden).unflatten(1, (self.num_tasks, -1))
        if self.training and self.gate_dropout:
            dropped = torch.rand_like(logits) < self.gate_dropout
            # Where every expert was dropped the mixture stays whole.
            logits = logits.masked_fill(dropped & ~dropped.all(2, keepdim=True), -torch.inf)
        return logits.softmax(2)
