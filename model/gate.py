"""Gate: how much of each expert a task takes."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from model.batched import BatchedMLP


class Gate(nn.Module):
    """g_k(x) = softmax(W_k x) (Ma et al., KDD 2018, equation 7), one linear layer a task, with dropout of experts.

    In training an expert's weight is set to 0 with chance `dropout` and the rest renormalised (Zhao et al., RecSys
    2019, section 4.2: a gate that collapses onto one expert thereby recovers). Done before the softmax, to the same
    effect: a gate that has collapsed leaves weights too small to divide by.
    """

    def __init__(self, in_dim: int, num_gates: int, num_experts: int, dropout: float) -> None:
        super().__init__()
        self.linear = BatchedMLP(num_gates, (in_dim, num_experts), last_linear=True)
        self.dropout = dropout

    def forward(self, hidden: Float[Tensor, "batch *gate dim"]) -> Float[Tensor, "batch gate expert"]:
        """Weights that sum to 1 over the experts. `hidden` is one for all gates or one for each."""
        logits = self.linear(hidden)
        if self.training and self.dropout:
            dropped = torch.rand_like(logits) < self.dropout
            # Where every expert was dropped the mixture stays whole.
            logits = logits.masked_fill(dropped & ~dropped.all(2, keepdim=True), -torch.inf)
        return logits.softmax(2)
