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
from model.entry import Entry, shaped, side_by_side
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
        self.hidden = nn.ModuleList([Entry(in_dims, {HIDDEN: (units,)}, [HIDDEN]) for _ in copies if units])
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
        entered = self.inputs.whole(arrays, self._entries)
        if self.hidden:
            shared = self.sharing(self.dropout(torch.relu(entered)))
        else:
            shared = self._direct.after(self._direct.entry.activated(self._direct.entry.apart(entered)))
        return self.towers(shared) + self.bias_logits(arrays, as_logged)

    def of_request(self, arrays: Batch) -> tuple[Float[Tensor, "batch half"], Tensor | None]:
        """The request's half, and the memories of its histories, if they are attended to."""
        return self.inputs.of_request(arrays, self._entries)

    def candidate_half(self, arrays: Batch) -> Float[Tensor, "batch half"]:
        return self.inputs.candidate_half(arrays, self._entries)

    def bias_logits(self, arrays: Batch, as_logged: bool) -> Float[Tensor, "request task"]:
        if self.position_bias is None:
            return torch.zeros(1, len(self.calibration.links), device=self.calibration.slope.device)
        return self.position_bias(arrays, as_logged)

    @property
    def parts(self) -> dict[str, tuple[int, ...]]:
        """The shapes of what lies side by side in a half, and in the sum of two."""
        return self.inputs.parts(self._entries)

    @property
    def rectified(self) -> Sequence[str]:
        """Those of the parts that are rectified as soon as they are summed."""
        return self.inputs.rectified(self._entries)

    def apart(self, total: Float[Tensor, "batch half"]) -> dict[str, Tensor]:
        """`[batch, *shape]` of every part of a sum of halves, as `logits` reads them."""
        parts = shaped(total, self.parts)
        return parts | {name: torch.relu(parts[name]) for name in self.rectified}

    def logits(
        self, total: Mapping[str, Tensor], memories: Tensor | None, bias_logits: Tensor, pairs: Batch
    ) -> Float[Tensor, "batch task"]:
        """`total` has the `parts` of the sum of the request's half and each candidate's, `[batch, *shape]`, those that
        are `rectified` so.
        """
        entered = self.inputs.entered(total, memories, pairs, self._entries)
        if self.hidden:
            shared = self.sharing(self.dropout(side_by_side([one[HIDDEN] for one in entered], 1)))
        else:
            shared = self._direct.after(entered[0])
        return self.towers(shared) + bias_logits

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
