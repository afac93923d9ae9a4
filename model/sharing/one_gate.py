"""One-gate mixture of experts (Ma et al., KDD 2018, equation 5; OMoE there): the tasks share the gate as well."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.batched import BatchedMLP, networks_first
from model.entry import Entry
from model.gate import Gate, NumExperts
from model.sharing.interface import Chance, DirectSharing, SharingConfig, Widths

EXPERTS, GATE = "experts", "gate"


class OneGateConfig(SharingConfig):
    """`gate_dropout` is the chance that an expert is left out of the mixture in training."""

    is_direct: ClassVar[bool] = True
    kind: Literal["one_gate"] = "one_gate"
    num_experts: NumExperts = 8
    expert_units: Widths = (128, 64)
    gate_dropout: Chance = 0.1
    dropout: Chance = 0.0

    def build(self, in_dim: int, num_tasks: int) -> "OneGate":
        return OneGate(in_dim, num_tasks, self)


class OneGate(DirectSharing):
    """f(x) = sum_i g(x)_i f_i(x), one mixture for all tasks; what MMoE is compared with to see what its gates bring."""

    def __init__(self, in_dim: int, num_tasks: int, config: OneGateConfig) -> None:
        super().__init__()
        num_experts, units = config.num_experts, config.expert_units
        self.entry = Entry([in_dim], {EXPERTS: (num_experts, units[0]), GATE: (1, num_experts)})
        self.experts = BatchedMLP(num_experts, units, config.dropout)
        self.gate = Gate(config.gate_dropout)
        self.dropout = nn.Dropout(config.dropout)
        self.num_tasks, self.out_dim = num_tasks, units[-1]

    def after(self, entered: Float[Tensor, "batch entry"]) -> Float[Tensor, "batch task out"]:
        parts = self.entry.apart(entered)
        mixed = self.gate(parts[GATE], self.experts(self.dropout(torch.relu(networks_first(parts[EXPERTS])))))
        return mixed.expand(-1, self.num_tasks, -1)

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        return list(self.parameters())
