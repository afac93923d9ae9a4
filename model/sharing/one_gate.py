"""One-gate mixture of experts (Ma et al., KDD 2018, equation 5; OMoE there): the tasks share the gate as well."""

from collections.abc import Mapping, Sequence
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from model.sharing.mmoe import MixtureConfig, MMoE


class OneGateConfig(MixtureConfig):
    kind: Literal["one_gate"] = "one_gate"

    def build(self, in_dim: int, num_tasks: int) -> "OneGate":
        return OneGate(in_dim, num_tasks, self)


class OneGate(MMoE):
    """f(x) = sum_i g(x)_i f_i(x): the MMoE of a single task, for all of them; it shows what MMoE's gates bring."""

    def __init__(self, in_dim: int, num_tasks: int, config: OneGateConfig) -> None:
        super().__init__(in_dim, 1, config)
        self.num_tasks = num_tasks

    def after(self, entered: Mapping[str, Tensor]) -> Float[Tensor, "batch task out"]:
        return super().after(entered).expand(-1, self.num_tasks, -1)

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        return list(self.parameters())
