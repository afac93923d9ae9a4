"""One gate: the same mixture for every task."""

import pytest
import torch
from pydantic import ValidationError

from model.sharing.one_gate import OneGateConfig
from tests.model.sharing.plain import mapped, network, rows

IN_DIM, TASKS, EXPERTS = 5, 3, 4


def test_it_is_equation_5_of_the_paper_for_every_task() -> None:
    torch.manual_seed(0)
    config = OneGateConfig(num_experts=EXPERTS, expert_units=(6, 3))
    sharing, hidden = config.build(IN_DIM, TASKS).eval(), rows(6, IN_DIM)
    gate = torch.softmax(mapped(sharing.entry, "gate", 0, hidden), 1)
    first = [torch.relu(mapped(sharing.entry, "experts", at, hidden)) for at in range(EXPERTS)]
    expected = sum(gate[:, at : at + 1] * network(sharing.experts, at, first[at]) for at in range(EXPERTS))
    torch.testing.assert_close(sharing(hidden), torch.stack([expected] * TASKS, 1))


def test_one_expert_is_refused_with_the_reason() -> None:
    with pytest.raises(ValidationError, match="at least 2 experts"):
        OneGateConfig(num_experts=1)
