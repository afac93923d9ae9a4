"""Gate: how much of each expert a task takes."""

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import AfterValidator
from torch import Tensor, nn


def _several(num_experts: int) -> int:
    if num_experts < 2:
        raise ValueError("at least 2 experts: a gate over fewer has nothing to choose between")
    return num_experts


NumExperts = Annotated[int, AfterValidator(_several)]


class Gate(nn.Module):
    """f_k(x) = sum_i g_k(x)_i f_i(x) with g_k(x) = softmax(W_k x) (Ma et al., KDD 2018, equations 6 and 7), of the
    logits W_k x, with dropout of experts. A gate may have experts of its own beside those that are shared.
    """

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout

    def forward(
        self,
        logits: Float[Tensor, "batch gate expert"],
        shared: Float[Tensor, "batch shared out"],
        own: Float[Tensor, "batch gate own out"] | None = None,
    ) -> Float[Tensor, "batch gate out"]:
        """Mixtures of what the experts put out: the logits are those of the shared ones, then of a gate's own."""
        weights = self.weights(logits)
        shared = shared.contiguous()  # to copy it once takes less than what the products would do themselves, twice
        if own is None:
            return weights @ shared
        of_shared, of_own = torch.split(weights, [shared.shape[1], own.shape[2]], 2)
        return of_shared @ shared + torch.einsum("bge,bgeo->bgo", of_own, own)

    def weights(self, logits: Float[Tensor, "batch gate expert"]) -> Float[Tensor, "batch gate expert"]:
        """They sum to 1 over the experts."""
        return mixture(logits, self.dropout if self.training else 0.0)


def mixture(logits: Float[Tensor, "batch gate expert"], dropout: float) -> Float[Tensor, "batch gate expert"]:
    """The softmax of a gate, each expert's weight set to 0 with chance `dropout` and the rest renormalised (Zhao et
    al., RecSys 2019, section 4.2: a gate that collapses onto one expert thereby recovers). Done before the softmax, to
    the same effect: a gate that has collapsed leaves weights too small to divide by.
    """
    if dropout:
        dropped = torch.rand_like(logits) < dropout
        # Where every expert was dropped the mixture stays whole.
        logits = logits.masked_fill(dropped & ~dropped.all(2, keepdim=True), -torch.inf)
    return logits.softmax(2)
