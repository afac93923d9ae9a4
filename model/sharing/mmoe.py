"""Multi-gate mixture of experts (Ma et al., KDD 2018, equations 6 and 7), with gate dropout against polarisation."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor, nn

from model.batched import BatchedMLP
from model.entry import Entry
from model.gate import Gate, NumExperts
from model.sharing.interface import Chance, DirectSharing, SharingConfig, Widths

EXPERTS, GATE = "experts", "gate"


class MixtureConfig(SharingConfig):
    """`gate_dropout` is the chance that an expert is left out of a mixture in training."""

    is_direct: ClassVar[bool] = True
    kind: str
    num_experts: NumExperts = 8
    expert_units: Widths = (128, 64)
    gate_dropout: Chance = 0.1
    dropout: Chance = 0.0


class MMoEConfig(MixtureConfig):
    kind: Literal["mmoe"] = "mmoe"

    def build(self, in_dim: int, num_tasks: int) -> "MMoE":
        return MMoE(in_dim, num_tasks, self)


class MMoE(DirectSharing):
    """f_k(x) = sum_i g_k(x)_i f_i(x), with the experts f_i ReLU networks and a gate g_k for each task."""

    def __init__(self, in_dim: int, num_tasks: int, config: MixtureConfig) -> None:
        super().__init__()
        num_experts, units = config.num_experts, config.expert_units
        self.entry = Entry([in_dim], {EXPERTS: (num_experts, units[0]), GATE: (num_tasks, num_experts)}, [EXPERTS])
        self.experts = BatchedMLP(num_experts, units, config.dropout)
        self.gate = Gate(config.gate_dropout)
        self.dropout, self.out_dim = nn.Dropout(config.dropout), units[-1]

    def after(self, entered: Mapping[str, Tensor]) -> Float[Tensor, "batch task out"]:
        return self.gate(entered[GATE], self.experts(self.dropout(entered[EXPERTS])))

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        return [*self.entry.parameters_of(EXPERTS), *self.experts.parameters()]
