"""Towers: each task's representation to its logit."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.batched import BatchedMLP


class Towers(nn.Module):
    """One ReLU network a task, all of one shape."""

    def __init__(self, in_dim: int, num_tasks: int, units: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.networks = BatchedMLP(num_tasks, (in_dim, *units, 1), dropout, last_linear=True)

    def start_at(self, logits: Sequence[float]) -> None:
        """Begin at each task's mean: a rare task then does not spend its first steps on learning that it is rare."""
        with torch.no_grad():
            self.networks.biases[-1].copy_(torch.tensor(logits).unsqueeze(1))

    def forward(self, shared: Float[Tensor, "batch task dim"]) -> Float[Tensor, "batch task"]:
        return self.networks(shared).squeeze(2)
