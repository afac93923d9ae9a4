"""Cross-stitch networks (Misra et al., CVPR 2016): a network a task, mixed with the others after every layer."""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor, nn

from model.batched import BatchedMLP
from model.sharing.interface import Chance, Sharing, SharingConfig, Widths
from model.sharing.stitch import Stitch


class CrossStitchConfig(SharingConfig):
    min_tasks: ClassVar[int] = 2
    kind: Literal["cross_stitch"] = "cross_stitch"
    units: Widths = (128, 64)
    dropout: Chance = 0.0

    def build(self, in_dim: int, num_tasks: int) -> "CrossStitch":
        return CrossStitch(in_dim, num_tasks, self)


class CrossStitch(Sharing):
    """Equation 1 after every layer, one alpha for a pair of tasks at a layer. The paper raises the learning rate of the
    alphas; here it is that of all others.
    """

    def __init__(self, in_dim: int, num_tasks: int, config: CrossStitchConfig) -> None:
        super().__init__()
        pairs = pairwise((in_dim, *config.units))
        self.layers = nn.ModuleList(BatchedMLP(num_tasks, pair, config.dropout) for pair in pairs)
        self.stitches = nn.ModuleList(Stitch(num_tasks) for _ in self.layers)
        self.out_dim = config.units[-1]

    def forward(self, hidden: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch task out"]:
        for layer, stitch in zip(self.layers, self.stitches, strict=True):
            hidden = stitch(layer(hidden))
        return hidden

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        """All but the last alphas, of which every task reads its own row alone."""
        return [*self.layers.parameters(), *self.stitches[:-1].parameters()]
