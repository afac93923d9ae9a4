"""Progressive layered extraction (Tang et al., RecSys 2020): shared experts beside each task's own, in levels."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import PositiveInt
from torch import Tensor, nn

from model.batched import BatchedMLP
from model.gate import Gate, mixture
from model.sharing.interface import Chance, Sharing, SharingConfig, Widths


class PLEConfig(SharingConfig):
    """One level is CGC. `expert_units` are an expert's layers in every level; `gate_dropout` is the chance that an
    expert is left out of a mixture in training.
    """

    min_tasks: ClassVar[int] = 2
    kind: Literal["ple"] = "ple"
    num_levels: PositiveInt = 2
    num_shared_experts: PositiveInt = 2
    num_task_experts: PositiveInt = 2
    expert_units: Widths = (64,)
    gate_dropout: Chance = 0.1
    dropout: Chance = 0.0

    def build(self, in_dim: int, num_tasks: int) -> "PLE":
        return PLE(in_dim, num_tasks, self)


class PLE(Sharing):
    """Level j takes what each task's gate and the shared gate made of level j - 1; the last has no shared gate, for
    only the tasks go on from there.
    """

    def __init__(self, in_dim: int, num_tasks: int, config: PLEConfig) -> None:
        super().__init__()
        self.out_dim = config.expert_units[-1]
        in_dims = [in_dim, *[self.out_dim] * (config.num_levels - 1)]
        self.levels: Sequence[Level] = nn.ModuleList(  # type: ignore[assignment]
            Level(one, num_tasks, config, is_last=at == config.num_levels - 1) for at, one in enumerate(in_dims)
        )

    def forward(self, hidden: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch task out"]:
        own, shared = hidden, hidden
        for level in self.levels:
            own, shared = level(own, shared)
        return own

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        """By way of a shared gate a task's own experts serve all tasks of the levels above, and so do the gates that
        fed those experts.
        """
        found: list[nn.Parameter] = []
        for above, level in enumerate(reversed(self.levels)):
            found += level.shared_experts.parameters()
            if level.shared_gate is not None:
                found += [*level.task_experts.parameters(), *level.shared_gate.parameters()]
            if above >= 2:
                found += level.logits.parameters()
        return found


class Level(nn.Module):
    """g_k(x) = w_k(x_k) [E_s(x_s), E_k(x_k)], w_k = softmax(W_k x_k) (equations 1 to 3 for CGC, 5 for PLE), with
    shared experts E_s and a task's own E_k.
    """

    def __init__(self, in_dim: int, num_tasks: int, config: PLEConfig, is_last: bool) -> None:
        super().__init__()
        units, num_shared, num_own = (in_dim, *config.expert_units), config.num_shared_experts, config.num_task_experts
        self.shared_experts = BatchedMLP(num_shared, units, config.dropout)
        self.task_experts = BatchedMLP((num_tasks, num_own), units, config.dropout)
        self.logits = BatchedMLP(num_tasks, (in_dim, num_shared + num_own), last_linear=True)
        self.gate = Gate(config.gate_dropout)
        self.shared_gate = None if is_last else SharedGate(in_dim, num_tasks, config)

    def forward(
        self, own: Float[Tensor, "batch *task dim"], shared: Float[Tensor, "batch dim"]
    ) -> tuple[Float[Tensor, "batch task out"], Float[Tensor, "batch out"] | None]:
        of_shared, of_tasks = self.shared_experts(shared), self.task_experts(own)
        above = None if self.shared_gate is None else self.shared_gate(shared, of_shared, of_tasks)
        return self.gate(self.logits(own), of_shared, of_tasks), above


class SharedGate(nn.Module):
    """Mixes all experts of a level, the shared and every task's own, to what the shared experts above it read."""

    def __init__(self, in_dim: int, num_tasks: int, config: PLEConfig) -> None:
        super().__init__()
        self.to_shared = BatchedMLP(1, (in_dim, config.num_shared_experts), last_linear=True)
        self.to_tasks = BatchedMLP(num_tasks, (in_dim, config.num_task_experts), last_linear=True)
        self.dropout = config.gate_dropout

    def forward(
        self,
        hidden: Float[Tensor, "batch dim"],
        shared: Float[Tensor, "batch expert out"],
        of_tasks: Float[Tensor, "batch task own out"],
    ) -> Float[Tensor, "batch out"]:
        logits = torch.cat([self.to_shared(hidden).flatten(1), self.to_tasks(hidden).flatten(1)], 1).unsqueeze(1)
        weights = mixture(logits, self.dropout if self.training else 0.0)
        return torch.einsum("bge,beo->bo", weights, torch.cat([shared, of_tasks.flatten(1, 2)], 1))
