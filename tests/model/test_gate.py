"""Gates: mixtures of shared experts and of a gate's own, and what dropout of experts may and may not do."""

import pytest
import torch
from torch import Tensor

from model.gate import Gate

BATCH, GATES, EXPERTS, OUT = 6, 3, 4, 2


def make_gate(dropout: float = 0.1) -> Gate:
    torch.manual_seed(0)
    return Gate(dropout)


def drawn(batch: int = BATCH, num_experts: int = EXPERTS) -> Tensor:
    """Logits."""
    return torch.randn(batch, GATES, num_experts, generator=torch.Generator().manual_seed(1))


def test_it_mixes_the_shared_experts_with_those_of_the_gate() -> None:
    gate, logits = make_gate().eval(), drawn()
    shared, own = torch.randn(BATCH, 1, OUT), torch.randn(BATCH, GATES, EXPERTS - 1, OUT)
    found, weights = gate(logits, shared, own), gate.weights(logits)
    for at in range(GATES):
        experts = torch.cat([shared, own[:, at]], 1)
        torch.testing.assert_close(found[:, at], (weights[:, at].unsqueeze(2) * experts).sum(1))
    whole = torch.randn(BATCH, EXPERTS, OUT)
    torch.testing.assert_close(gate(logits, whole), weights @ whole)


@pytest.mark.parametrize("dropout", [0.0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("training", [False, True])
def test_the_weights_of_a_mixture_sum_to_1(dropout: float, training: bool) -> None:
    weights = make_gate(dropout).train(training).weights(drawn(500))
    assert weights.shape == (500, GATES, EXPERTS)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(2), torch.ones(500, GATES))


def test_a_gate_that_collapsed_onto_a_dropped_expert_still_sums_to_1_and_learns() -> None:
    gate, logits = make_gate(0.5).train(), drawn(500)
    logits[:, :, 0] = 80.0
    weights = gate.weights(logits.requires_grad_())
    torch.testing.assert_close(weights.sum(2), torch.ones(500, GATES))
    recovering = weights[:, :, 0] == 0
    assert recovering.any()
    weights[:, :, 1][recovering].sum().backward()
    assert logits.grad is not None
    assert logits.grad.abs().max() > 0.01


def test_dropout_leaves_out_as_many_experts_as_told_and_renormalises_the_others() -> None:
    batch, rate = 4_000, 0.1
    gate, logits = make_gate(rate), drawn(batch)
    whole, found = gate.eval().weights(logits), gate.train().weights(logits)
    kept = found > 0
    assert abs((~kept).float().mean() - rate) < 4 * (rate * (1 - rate) / kept.numel()) ** 0.5
    expected = torch.where(kept, whole, 0.0)
    torch.testing.assert_close(found, expected / expected.sum(2, keepdim=True))


def test_a_mixture_whose_experts_were_all_dropped_stays_whole() -> None:
    gate, logits = make_gate(0.9), drawn(2_000, num_experts=2)
    whole, found = gate.eval().weights(logits), gate.train().weights(logits)
    untouched = torch.isclose(found, whole).all(2)
    assert untouched.float().mean() == pytest.approx(0.9**2 + 0.1**2, abs=0.03)  # all dropped, or none


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_there_is_no_dropout_in_eval_or_where_none_is_asked_for(dropout: float) -> None:
    gate, logits = make_gate(dropout), drawn()
    for training in (False, True)[: 1 if dropout else 2]:
        torch.testing.assert_close(gate.train(training).weights(logits), make_gate().eval().weights(logits))
