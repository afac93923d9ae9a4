"""Multi-gate mixture of experts (Ma et al., KDD 2018, equations 6 and 7), with gate dropout against polarisation."""

from collections.abc import Sequence
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from model.batched import BatchedMLP
from model.gate import Gate, NumExperts
from model.sharing.interface import Chance, Sharing, SharingConfig, Widths


class MMoEConfig(SharingConfig):
    """`gate_dropout` is the chance that an expert is left out of a task's mixture in training."""

    kind: Literal["mmoe"] = "mmoe"
    num_experts: NumExperts = 8
    expert_units: Widths = (128, 64)
    gate_dropout: Chance = 0.1
    dropout: Chance = 0.0

    def build(self, in_dim: int, num_tasks: int) -> "MMoE":
        return MMoE(in_dim, num_tasks, self)


class MMoE(Sharing):
    """f_k(x) = sum_i g_k(x)_i f_i(x), with the experts f_i ReLU networks and a gate g_k for each task."""

    def __init__(self, in_dim: int, num_tasks: int, config: MMoEConfig) -> None:
        super().__init__()
        self.experts = BatchedMLP(config.num_experts, (in_dim, *config.expert_units), config.dropout)
        self.gate = Gate(in_dim, num_tasks, config.num_experts, config.gate_dropout)
        self.out_dim = config.expert_units[-1]

    def forward(self, hidden: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch task out"]:
        return self.gate(hidden, self.experts(hidden))

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        return list(self.experts.parameters())
