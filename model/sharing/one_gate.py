"""One-gate mixture of experts (Ma et al., KDD 2018, equation 5; OMoE there): the tasks share the gate as well."""

from collections.abc import Sequence
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from model.batched import BatchedMLP
from model.gate import Gate, NumExperts
from model.sharing.interface import Chance, Sharing, SharingConfig, Widths


class OneGateConfig(SharingConfig):
    """`gate_dropout` is the chance that an expert is left out of the mixture in training."""

    kind: Literal["one_gate"] = "one_gate"
    num_experts: NumExperts = 8
    expert_units: Widths = (128, 64)
    gate_dropout: Chance = 0.1
    dropout: Chance = 0.0

    def build(self, in_dim: int, num_tasks: int) -> "OneGate":
        return OneGate(in_dim, num_tasks, self)


class OneGate(Sharing):
    """f(x) = sum_i g(x)_i f_i(x), one mixture for all tasks; what MMoE is compared with to see what its gates bring."""

    def __init__(self, in_dim: int, num_tasks: int, config: OneGateConfig) -> None:
        super().__init__()
        self.experts = BatchedMLP(config.num_experts, (in_dim, *config.expert_units), config.dropout)
        self.gate = Gate(in_dim, 1, config.num_experts, config.gate_dropout)
        self.num_tasks, self.out_dim = num_tasks, config.expert_units[-1]

    def forward(self, hidden: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch task out"]:
        return self.gate(hidden, self.experts(hidden)).expand(-1, self.num_tasks, -1)

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        return list(self.parameters())
