"""MMoE: the equations of its paper in a plain loop, and what gate dropout may and may not do."""

import pytest
import torch
from torch import Tensor

from model.sharing.mmoe import MMoE, MMoEConfig

BATCH, IN_DIM, TASKS, EXPERTS = 6, 5, 3, 4


def make_mmoe(gate_dropout: float = 0.1, num_experts: int = EXPERTS) -> MMoE:
    torch.manual_seed(0)
    config = MMoEConfig(num_experts=num_experts, expert_units=(6, 3), gate_dropout=gate_dropout)
    return config.build(IN_DIM, TASKS)


def drawn(batch: int = BATCH) -> Tensor:
    return torch.randn(batch, IN_DIM, generator=torch.Generator().manual_seed(1))


def expert(mmoe: MMoE, index: int, hidden: Tensor) -> Tensor:
    for weight, bias in zip(mmoe.experts.weights, mmoe.experts.biases, strict=True):
        hidden = torch.relu(hidden @ weight[index] + bias[index])
    return hidden


def test_it_is_equations_6_and_7_of_the_paper() -> None:
    mmoe, hidden = make_mmoe().eval(), drawn()
    found = mmoe(hidden)
    for task in range(TASKS):
        linear = mmoe.gate.linear
        gate = torch.softmax(hidden @ linear.weights[0][task] + linear.biases[0][task], 1)
        expected = sum(gate[:, at : at + 1] * expert(mmoe, at, hidden) for at in range(EXPERTS))
        torch.testing.assert_close(found[:, task], expected)


@pytest.mark.parametrize("gate_dropout", [0.0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("training", [False, True])
def test_the_weights_of_a_mixture_sum_to_1(gate_dropout: float, training: bool) -> None:
    mixture = make_mmoe(gate_dropout).train(training).gate(drawn(500))
    assert mixture.shape == (500, TASKS, EXPERTS)
    assert (mixture >= 0).all()
    torch.testing.assert_close(mixture.sum(2), torch.ones(500, TASKS))


def test_a_gate_that_collapsed_onto_a_dropped_expert_still_sums_to_1_and_learns() -> None:
    mmoe, hidden = make_mmoe(0.5).train(), drawn(500)
    with torch.no_grad():
        mmoe.gate.linear.biases[0][:, 0] = 80.0
    mixture = mmoe.gate(hidden)
    torch.testing.assert_close(mixture.sum(2), torch.ones(500, TASKS))
    recovering = mixture[:, :, 0] == 0
    assert recovering.any()
    mixture[:, :, 1][recovering].sum().backward()
    gradient = mmoe.gate.linear.weights[0].grad
    assert gradient is not None
    assert gradient.abs().max() > 0.01


def test_gate_dropout_leaves_out_as_many_experts_as_told_and_renormalises_the_others() -> None:
    batch, rate = 4_000, 0.1
    mmoe, hidden = make_mmoe(rate), drawn(batch)
    whole, drawn_mixture = mmoe.eval().gate(hidden), mmoe.train().gate(hidden)
    kept = drawn_mixture > 0
    num_gates = batch * TASKS * EXPERTS
    assert abs((~kept).float().mean() - rate) < 4 * (rate * (1 - rate) / num_gates) ** 0.5
    expected = torch.where(kept, whole, 0.0)
    torch.testing.assert_close(drawn_mixture, expected / expected.sum(2, keepdim=True))


def test_a_mixture_whose_experts_were_all_dropped_stays_whole() -> None:
    mmoe, hidden = make_mmoe(0.9, num_experts=2), drawn(2_000)
    whole, found = mmoe.eval().gate(hidden), mmoe.train().gate(hidden)
    untouched = torch.isclose(found, whole).all(2)
    assert untouched.float().mean() == pytest.approx(0.9**2 + 0.1**2, abs=0.03)  # all dropped, or none


@pytest.mark.parametrize("gate_dropout", [0.0, 0.5])
def test_there_is_no_gate_dropout_in_eval_or_where_none_is_asked_for(gate_dropout: float) -> None:
    mmoe, hidden = make_mmoe(gate_dropout), drawn()
    for training in (False, True)[: 1 if gate_dropout else 2]:
        torch.testing.assert_close(mmoe.train(training).gate(hidden), make_mmoe().eval().gate(hidden))
