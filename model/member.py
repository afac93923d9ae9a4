"""Member: a network from the inputs to a logit a task. A ranker has one, or is the mean of several."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from model.contract.mistakes import Strict
from model.entry import Entry, side_by_side
from model.sharing.interface import DirectSharing, SharingConfig
from model.towers import Towers

HIDDEN = "hidden"


class NetworkConfig(Strict):
    """The widths around the sharing layer; `embedding_dim` is the default of features that set no `dim`, `pieces` the
    number of quantile intervals in which quantities (numbers, matches) are read, beside as they are; 0 turns that off.
    Without `hidden_units` the sharing layer reads the inputs directly, where it can.

    `members` are networks on one set of embeddings, each trained by its own losses: an ensemble, whose members differ
    by how they began, and whose mean errs less than each (Lakshminarayanan et al., NeurIPS 2017). All but embeddings
    costs so many times as much.
    """

    embedding_dim: int = Field(default=16, ge=1)
    pieces: int = Field(default=0, ge=0, le=1024)
    hidden_units: int | None = Field(default=256, ge=1)
    tower_units: tuple[PositiveInt, ...] = (64,)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    members: int = Field(default=1, ge=1, le=32)


class Member(nn.Module):
    """Hidden layer (one a copy of the inputs; none where the sharing layer's own entry reads them), sharing, towers."""

    def __init__(
        self, in_dims: Sequence[int], num_copies: int, network: NetworkConfig, sharing: SharingConfig, num_tasks: int
    ) -> None:
        super().__init__()
        units = network.hidden_units
        entries = [Entry(in_dims, {HIDDEN: (units,)}) for _ in range(num_copies) if units]
        self.hidden: Sequence[Entry] = nn.ModuleList(entries)  # type: ignore[assignment]
        self.dropout = nn.Dropout(network.dropout)
        self.sharing = sharing.build(num_copies * units if units else sum(in_dims), num_tasks)
        self.towers = Towers(self.sharing.out_dim, num_tasks, network.tower_units, network.dropout)

    @property
    def entries(self) -> Sequence[Entry]:
        """One a copy of the inputs."""
        return list(self.hidden) or [self._direct.entry]

    def forward(self, entered: Sequence[Float[Tensor, "batch entry"]]) -> Float[Tensor, "batch task"]:
        """What each of the entries has put out."""
        if not self.hidden:
            return self.towers(self._direct.after(entered[0]))
        return self.towers(self.sharing(self.dropout(torch.relu(side_by_side(entered, 1)))))

    @property
    def _direct(self) -> DirectSharing:
        if not isinstance(self.sharing, DirectSharing):
            raise TypeError(f"{type(self.sharing).__name__} needs `hidden_units`")
        return self.sharing
