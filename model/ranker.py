"""MultiTaskRanker: composes inputs, sharing, towers, position bias and calibration."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from model.calibration import Calibration
from model.contract.features.interface import Table
from model.contract.mistakes import Strict
from model.contract.schema import FeatureSchema
from model.contract.tasks import Task, TaskKind
from model.entry import Entry
from model.inputs import Batch, InputCopies, Inputs
from model.piecewise import Knots
from model.position_bias import PositionBias, PositionBiasConfig
from model.sharing import AnySharing
from model.sharing.interface import DirectSharing
from model.sharing.mmoe import MMoEConfig
from model.towers import Towers

HIDDEN = "hidden"
NO_KNOTS: Knots = MappingProxyType({})


class NetworkConfig(Strict):
    """The widths around the sharing layer; `embedding_dim` is the default of features that set no `dim`, `pieces` the
    number of quantile intervals in which quantities (numbers, matches) are read, beside as they are; 0 turns that off.
    Without `hidden_units` the sharing layer reads the inputs directly, where it can.
    """

    embedding_dim: int = Field(default=16, ge=1)
    pieces: int = Field(default=0, ge=0, le=1024)
    hidden_units: int | None = Field(default=256, ge=1)
    tower_units: tuple[PositiveInt, ...] = (64,)
    dropout: float = Field(default=0.0, ge=0, lt=1)


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
        network, num_tasks = config.network, len(tasks)
        self.shares_inputs = config.sharing.shares_inputs
        copies = range(config.sharing.num_copies(num_tasks))
        self.inputs = InputCopies([Inputs(schema, tables, knots, network.embedding_dim) for _ in copies])
        in_dims, units = self.inputs.in_dims, network.hidden_units
        # None of them where the sharing layer's own entry reads the inputs.
        self.hidden = nn.ModuleList([Entry(in_dims, {HIDDEN: (units,)}) for _ in copies if units])
        self.dropout = nn.Dropout(network.dropout)
        self.sharing = config.sharing.build(len(copies) * units if units else sum(in_dims), num_tasks)
        self.towers = Towers(self.sharing.out_dim, num_tasks, network.tower_units, network.dropout)
        self.position_bias: PositionBias | None = None
        if config.position_bias is not None:
            sizes = {name: tables[schema.discrete(name).table].num_codes for name in config.position_bias.features}
            self.position_bias = PositionBias(schema, sizes, num_tasks, config.position_bias)
        binary = [task.kind is TaskKind.BINARY for task in tasks]
        self.towers.start_at(
            [_logit(one.mean) if is_binary else 0.0 for is_binary, one in zip(binary, scales, strict=True)]
        )
        self.calibration = Calibration(
            tasks,
            deviations=[1.0 if is_binary else one.deviation for is_binary, one in zip(binary, scales, strict=True)],
            means=[0.0 if is_binary else one.mean for is_binary, one in zip(binary, scales, strict=True)],
        )

    def shared_parameters(self) -> list[nn.Parameter]:
        """Those that more than one task is computed from; every other belongs to one task."""
        inputs = [self.inputs, self.hidden] if self.shares_inputs else []
        return [*(one for part in inputs for one in part.parameters()), *self.sharing.shared_parameters()]

    def forward(self, arrays: Batch, as_logged: bool = True) -> Float[Tensor, "batch task"]:
        """Uncalibrated logits of rows that each have their own request: of what was logged, at its position, or of what
        is to be ranked, whose position is not known.
        """
        return self._after(self.inputs.whole(arrays, self._entries)) + self.bias_logits(arrays, as_logged)

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
        return self._after(entered) + bias_logits

    def _after(self, entered: Float[Tensor, "batch entry"]) -> Float[Tensor, "batch task"]:
        shared = self.sharing(self.dropout(torch.relu(entered))) if self.hidden else self._direct.after(entered)
        return self.towers(shared)

    @property
    def _entries(self) -> Sequence[Entry]:
        return list(self.hidden) or [self._direct.entry]  # type: ignore[arg-type]

    @property
    def _direct(self) -> DirectSharing:
        if not isinstance(self.sharing, DirectSharing):
            raise TypeError(f"{type(self.sharing).__name__} needs `hidden_units`")
        return self.sharing

    def predict(self, arrays: Batch) -> Float[Tensor, "batch task"]:
        """Calibrated predictions in each task's unit, position missing; call in eval mode."""
        return self.calibration(self(arrays, as_logged=False))


def _logit(rate: float) -> float:
    rate = min(max(rate, 1e-6), 1 - 1e-6)
    return float(torch.logit(torch.tensor(rate, dtype=torch.float64)))
