"""MMoE: the equations of its paper in a plain loop."""

import pytest
import torch
from pydantic import ValidationError

from model.sharing.mmoe import MMoEConfig
from tests.model.sharing.plain import mapped, network, rows

IN_DIM, TASKS, EXPERTS = 5, 3, 4


def test_it_is_equations_6_and_7_of_the_paper() -> None:
    torch.manual_seed(0)
    mmoe, hidden = MMoEConfig(num_experts=EXPERTS, expert_units=(6, 3)).build(IN_DIM, TASKS).eval(), rows(6, IN_DIM)
    found = mmoe(hidden)
    for task in range(TASKS):
        gate = torch.softmax(mapped(mmoe.entry, "gate", task, hidden), 1)
        first = [torch.relu(mapped(mmoe.entry, "experts", at, hidden)) for at in range(EXPERTS)]
        expected = sum(gate[:, at : at + 1] * network(mmoe.experts, at, first[at]) for at in range(EXPERTS))
        torch.testing.assert_close(found[:, task], expected)


def test_one_expert_is_refused_with_the_reason() -> None:
    with pytest.raises(ValidationError, match="at least 2 experts: a gate over fewer has nothing to choose between"):
        MMoEConfig(num_experts=1)
