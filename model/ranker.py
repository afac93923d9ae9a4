"""MultiTaskRanker: composes inputs, the networks that read them, position bias and calibration."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.calibration import Calibration
from model.contract.features.interface import Table
from model.contract.mistakes import Strict
from model.contract.schema import FeatureSchema
from model.contract.tasks import Task, TaskKind
from model.entry import Entry
from model.inputs import Batch, InputCopies, Inputs
from model.member import Member, NetworkConfig
from model.piecewise import Knots
from model.position_bias import PositionBias, PositionBiasConfig
from model.sharing import AnySharing
from model.sharing.mmoe import MMoEConfig

NO_KNOTS: Knots = MappingProxyType({})


class RankerConfig(Strict):
    network: NetworkConfig = NetworkConfig()
    sharing: AnySharing = MMoEConfig()
    position_bias: PositionBiasConfig | None = None


class LabelScale(Strict):
    """Of a task's transformed labels in the training split: what the network's standardised logit is scaled by."""

    mean: float
    deviation: float


class MultiTaskRanker(nn.Module):
    def __init__(
        self,
        config: RankerConfig,
        schema: FeatureSchema,
        tables: Mapping[str, Table],
        tasks: Sequence[Task],
        scales: Sequence[LabelScale],
        knots: Knots = NO_KNOTS,
    ) -> None:
        """`tables`, `scales` and `knots` are what was fitted to the training split: sizes of the embedding tables, each
        task's labels, and the quantiles of quantities (none: they are read as they are).
        """
        super().__init__()
        network, sharing, num_tasks = config.network, config.sharing, len(tasks)
        self.shares_inputs = sharing.shares_inputs
        copies = range(sharing.num_copies(num_tasks))
        self.inputs = InputCopies([Inputs(schema, tables, knots, network.embedding_dim) for _ in copies])
        of_inputs = self.inputs.in_dims, len(copies)
        self.members: Sequence[Member] = nn.ModuleList(  # type: ignore[assignment]
            Member(*of_inputs, network, sharing, num_tasks) for _ in range(network.members)
        )
        self.position_bias: PositionBias | None = None
        if config.position_bias is not None:
            sizes = {name: tables[schema.discrete(name).table].num_codes for name in config.position_bias.features}
            self.position_bias = PositionBias(schema, sizes, num_tasks, config.position_bias)
        binary = [task.kind is TaskKind.BINARY for task in tasks]
        for member in self.members:
            member.towers.start_at(
                [_logit(one.mean) if is_binary else 0.0 for is_binary, one in zip(binary, scales, strict=True)]
            )
        self.calibration = Calibration(
            tasks,
            deviations=[1.0 if is_binary else one.deviation for is_binary, one in zip(binary, scales, strict=True)],
            means=[0.0 if is_binary else one.mean for is_binary, one in zip(binary, scales, strict=True)],
        )

    def shared_parameters(self) -> list[nn.Parameter]:
        """Those that more than one task is computed from; every other belongs to one task."""
        inputs = [self.inputs, *(one for member in self.members for one in member.hidden)] if self.shares_inputs else []
        sharing = [one for member in self.members for one in member.sharing.shared_parameters()]
        return [*(one for part in inputs for one in part.parameters()), *sharing]

    def penalty(self) -> Float[Tensor, ""]:
        """What ties between tasks add to the loss."""
        return _mean([member.sharing.penalty() for member in self.members])

    def forward(self, arrays: Batch, as_logged: bool = True) -> Float[Tensor, "batch task"]:
        """Uncalibrated logits of rows that each have their own request: of what was logged, at its position, or of what
        is to be ranked, whose position is not known.
        """
        return _mean(self.of_members(arrays, as_logged))

    def of_members(self, arrays: Batch, as_logged: bool = True) -> list[Float[Tensor, "batch task"]]:
        """The logits of each."""
        entered = self.inputs.whole(arrays, self._entries)
        bias = self.bias_logits(arrays, as_logged)
        return [member(parts) + bias for member, parts in zip(self.members, entered, strict=True)]

    def request_half(self, arrays: Batch) -> Float[Tensor, "batch half"]:
        return self.inputs.request_half(arrays, self._entries)

    def candidate_half(self, arrays: Batch) -> Float[Tensor, "batch other"]:
        return self.inputs.candidate_half(arrays, self._entries)

    def bias_logits(self, arrays: Batch, as_logged: bool) -> Float[Tensor, "request task"]:
        if self.position_bias is None:
            return torch.zeros(1, len(self.calibration.links), device=self.calibration.slope.device)
        return self.position_bias(arrays, as_logged)

    def logits(
        self, request_half: Tensor, candidate_half: Tensor, bias_logits: Tensor, pairs: Batch
    ) -> Float[Tensor, "batch task"]:
        entered = self.inputs.entered(request_half, candidate_half, pairs, self._entries)
        return _mean([member(parts) for member, parts in zip(self.members, entered, strict=True)]) + bias_logits

    @property
    def _entries(self) -> Sequence[Sequence[Entry]]:
        """Of each member, one a copy of the inputs."""
        return [member.entries for member in self.members]

    def predict(self, arrays: Batch) -> Float[Tensor, "batch task"]:
        """Calibrated predictions in each task's unit, position missing; call in eval mode."""
        return self.calibration(self(arrays, as_logged=False))


def _mean(parts: Sequence[Tensor]) -> Tensor:
    """A single one is not copied, as the exported graph would."""
    return parts[0] if len(parts) == 1 else torch.stack(list(parts)).mean(0)


def _logit(rate: float) -> float:
    rate = min(max(rate, 1e-6), 1 - 1e-6)
    return float(torch.logit(torch.tensor(rate, dtype=torch.float64)))
