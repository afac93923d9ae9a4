"""Position bias: a shallow tower over what decided that an impression was seen, added to the logits in training."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from model.batched import BatchedMLP
from model.contract.features.interface import Side
from model.contract.mistakes import Strict
from model.contract.schema import FeatureSchema


class PositionBiasConfig(Strict):
    """`features` of side impression (position) are known in training only; `dropout` hides them there as often, or what
    stands for a missing position would never be trained.
    """

    features: tuple[str, ...] = Field(min_length=1)
    dropout: float = Field(default=0.1, gt=0, lt=1)
    dim: int = Field(default=8, ge=1)
    units: int = Field(default=16, ge=1)


class PositionBias(nn.Module):
    """Zhao et al., RecSys 2019, section 4.3: the tower's output is ADDED to the main logit, position is dropped from
    10% of the training impressions and missing at serving. Each task has a tower of its own, whose hidden layer crosses
    the features (position x device).
    """

    def __init__(
        self, schema: FeatureSchema, sizes: Mapping[str, int], num_tasks: int, config: PositionBiasConfig
    ) -> None:
        super().__init__()
        self.names: Sequence[str] = config.features
        self.only_in_training = [schema.columns[name].side is Side.IMPRESSION for name in self.names]
        self.embeddings = nn.ParameterList(
            [nn.Parameter(torch.randn(sizes[name], num_tasks, config.dim)) for name in self.names]
        )
        self.cross = BatchedMLP(num_tasks, (len(self.names) * config.dim, config.units, 1), last_linear=True)
        nn.init.zeros_(self.cross.weights[-1])  # the tower starts as no bias at all
        nn.init.zeros_(self.cross.biases[-1])
        self.dropout = config.dropout

    @property
    def known_names(self) -> list[str]:
        """The features that are known at serving too."""
        return [name for name, hidden in zip(self.names, self.only_in_training, strict=True) if not hidden]

    def forward(self, arrays: Mapping[str, Tensor], as_logged: bool) -> Float[Tensor, "batch task"]:
        """With position as it was logged, or missing, as it is at serving, whatever `arrays` holds.

        Where nothing is known at serving, one row stands for all.
        """
        rows = arrays[self.known_names[0]].shape[0] if self.known_names else 1
        vectors = []
        for name, hidden, embedding in zip(self.names, self.only_in_training, self.embeddings, strict=True):
            if hidden and not as_logged:
                codes = torch.zeros(rows, dtype=torch.int64, device=embedding.device)
            else:
                codes = self._seen(arrays[name]) if hidden else arrays[name]
            vectors.append(functional.embedding(codes, embedding.flatten(1)).view(-1, *embedding.shape[1:]))
        return self.cross(torch.cat(vectors, 2)).squeeze(2)

    def _seen(self, codes: Tensor) -> Tensor:
        if not self.training:
            return codes
        return torch.where(torch.rand(codes.shape, device=codes.device) < self.dropout, torch.zeros_like(codes), codes)
