"""Health of the experts: what is measured, which alarms are raised, and what gate dropout does for a collapsed gate."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from model.ranker import MultiTaskRanker
from model.sharing import AnySharing
from tests.model.builders import TASKS, kinds, make_arrays, make_encoder, make_ranker, make_schema, tensors
from training import health
from training.dataset import SplitData
from training.evaluation import batch_of
from training.health import ExpertHealth, expert_health

ENCODER = make_encoder(
    make_schema(
        {"name": "video_id", "kind": "category", "side": "candidate"},
        {"name": "title", "kind": "vector", "side": "candidate", "length": 6},
        {"name": "taste", "kind": "vector", "side": "user", "length": 6},
    )
)
NAMES = [task.name for task in TASKS]
ROWS = 500
NETWORK = {"embedding_dim": 4, "hidden_units": 16, "tower_units": []}
GATED = {"mmoe", "one_gate", "ple"}


def split_of(num_rows: int = ROWS, seed: int = 0) -> SplitData:
    arrays, zeros = make_arrays(ENCODER, num_rows, seed), np.zeros(num_rows, dtype=np.int64)
    values = np.zeros((num_rows, len(TASKS)), dtype=np.float32)
    return SplitData("valid", arrays, values, values == 0, zeros, zeros, np.arange(num_rows))


def ranker_of(seed: int = 0, **sharing: Any) -> MultiTaskRanker:
    return make_ranker(ENCODER, seed, network=NETWORK, sharing=sharing, position_bias=None)


def measure(ranker: MultiTaskRanker) -> ExpertHealth:
    return expert_health(ranker, TASKS, split_of())


@torch.no_grad()
def fix(weight: torch.Tensor, bias: torch.Tensor, logits: torch.Tensor) -> None:
    """Make a gate say the same, `[gate, expert]`, for every row."""
    weight.zero_()
    bias.copy_(logits)


def test_utilisation_and_entropy_are_those_of_the_gate() -> None:
    ranker = ranker_of(kind="mmoe", num_experts=5)
    [gate] = measure(ranker).gates
    with torch.no_grad():
        batch = batch_of(split_of(), slice(None))
        hidden = torch.relu(ranker.inputs.whole(batch, list(ranker.hidden)))
        sharing = ranker.sharing
        weights = sharing.gate.weights(sharing.entry.apart(sharing.entry(hidden))["gate"])
    np.testing.assert_allclose(gate.tasks, weights.mean(0), rtol=1e-5)
    entropy = -(weights * weights.log()).sum(2).mean(0) / np.log(5)
    np.testing.assert_allclose(gate.entropy, entropy, rtol=1e-5)
    np.testing.assert_allclose(np.sum(gate.tasks, 1), 1, rtol=1e-5)


def test_an_even_gate_is_healthy_and_a_collapsed_one_polarises() -> None:
    ranker = ranker_of(kind="mmoe", num_experts=4)
    fix(*ranker.sharing.entry.parameters_of("gate"), torch.zeros(4, 4))
    even = measure(ranker)
    np.testing.assert_allclose(even.gates[0].entropy, 1, rtol=1e-5)
    assert even.alarms == ()
    logits = torch.zeros(4, 4)
    logits[2, 1] = 10.0
    fix(*ranker.sharing.entry.parameters_of("gate"), logits)
    collapsed = measure(ranker)
    assert collapsed.gates[0].entropy[2] < 0.01
    assert collapsed.alarms == ("gate polarises: `like` takes 100% from expert 2",)


def test_a_gate_of_all_tasks_counts_for_each() -> None:
    ranker = ranker_of(kind="one_gate", num_experts=3)
    fix(*ranker.sharing.entry.parameters_of("gate"), torch.tensor([[0.0, 0.0, 12.0]]))
    found = measure(ranker)
    assert len(set(found.gates[0].tasks)) == 1 and len(found.gates[0].tasks) == len(TASKS)
    assert "gate polarises: `all` takes 100% from expert 3" in found.alarms


def test_an_expert_whose_units_never_rise_above_0_is_dead() -> None:
    ranker = ranker_of(kind="mmoe", num_experts=3, expert_units=[8, 10])
    with torch.no_grad():
        ranker.sharing.experts.biases[-1][1, :] = -1000.0
        ranker.sharing.experts.biases[-1][2, :4] = -1000.0
    found = measure(ranker)
    assert found.experts[0].dead_units[1] == 1
    assert 0.4 <= found.experts[0].dead_units[2] < 0.9
    assert [one for one in found.alarms if "dies" in one] == ["gate: expert 2 dies, 100% of its units are always 0"]


def test_a_shared_expert_of_one_task_alone_and_one_that_nobody_uses() -> None:
    ranker, logits = ranker_of(kind="mmoe", num_experts=4), torch.zeros(4, 4)
    logits[:, 3] = -20.0
    logits[:3, 0] = -20.0
    fix(*ranker.sharing.entry.parameters_of("gate"), logits)
    assert measure(ranker).alarms == (
        "gate: only `rating` uses expert 1, which is for all",
        "gate: no task uses expert 4",
    )


def test_of_levels_every_gate_and_every_group_of_experts_is_told() -> None:
    ranker = ranker_of(kind="ple", num_levels=2, num_shared_experts=3, num_task_experts=2)
    fix(*ranker.sharing.levels[1].logits.parameters(), torch.tensor([[0.0, 0.0, 0.0, -20.0, -20.0]]).expand(4, -1))
    found = measure(ranker)
    assert [one.name for one in found.gates] == ["levels.0.gate", "levels.1.gate"]
    assert all(np.shape(one.tasks) == (len(TASKS), 3 + 2) for one in found.gates)
    groups = [f"levels.{at}.gate{of}" for at in range(2) for of in ("", *(f" of {name}" for name in NAMES))]
    assert [one.name for one in found.experts] == groups
    assert [len(one.dead_units) for one in found.experts] == [3, 2, 2, 2, 2] * 2
    assert [one for one in found.alarms if "own" in one] == [
        f"levels.1.gate: `{name}` does not use its own experts" for name in NAMES
    ]


@pytest.mark.parametrize("kind", [one.model_fields["kind"].default for one in kinds(AnySharing)])
def test_of_every_architecture_it_can_be_asked_and_changes_nothing(kind: str) -> None:
    ranker, batch = ranker_of(kind=kind), tensors(make_arrays(ENCODER, 20))
    before, state = ranker(batch), torch.random.get_rng_state()
    found = measure(ranker.train())
    assert ranker.training and torch.equal(torch.random.get_rng_state(), state)
    assert not any(one._forward_hooks for one in ranker.modules())
    assert torch.equal(ranker.eval()(batch), before)
    assert bool(found.gates) == bool(found.experts) == (kind in GATED)
    assert ExpertHealth.model_validate_json(found.model_dump_json()) == found


def test_a_bounded_sample_is_spread_over_the_split(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[int]] = []

    def spy(split: SplitData, rows: Any) -> Mapping[str, torch.Tensor]:
        seen.append(rows.tolist())
        return batch_of(split, rows)

    monkeypatch.setattr(health, "batch_of", spy)
    monkeypatch.setattr(health, "SAMPLE_ROWS", 5)
    expert_health(ranker_of(kind="mmoe"), TASKS, split_of(101))
    expert_health(ranker_of(kind="mmoe"), TASKS, split_of(3))
    assert seen == [[0, 25, 50, 75, 100], [0, 1, 2]]


def fitted(seed: int, **sharing: Any) -> tuple[ExpertHealth, float]:
    """A ranker whose gates start out on an expert that is dead, fitted to linear tasks with noise of .3; its loss.

    By plain gradient descent: Adam makes even the smallest gradients of the other experts count.
    """
    ranker, split = ranker_of(seed, num_experts=8, expert_units=[4], **sharing), split_of(4096, seed)
    with torch.no_grad():
        ranker.sharing.entry.biases["experts"][0] = -20.0
        ranker.sharing.entry.biases["gate"][:, 0] = 9.0
    random, inputs = np.random.default_rng(seed), np.concatenate([split.arrays["title"], split.arrays["taste"]], 1)
    targets = inputs @ random.normal(size=(inputs.shape[1], len(TASKS))) / np.sqrt(12)
    targets += 0.3 * random.normal(size=targets.shape) - targets.mean(0)
    optimizer = torch.optim.SGD(ranker.parameters(), lr=0.1, momentum=0.9)
    torch.manual_seed(seed)
    ranker.train()
    for rows in np.array_split(np.tile(np.arange(4096), 19), 300):
        loss = (ranker(batch_of(split, rows)) - torch.from_numpy(targets[rows]).float()).square().mean()
        optimizer.zero_grad()
        (len(TASKS) * loss).backward()
        optimizer.step()
    return expert_health(ranker, TASKS, split), loss.item()


def polarised(found: ExpertHealth) -> list[str]:
    return [alarm for alarm in found.alarms if "polarises" in alarm]


@pytest.mark.parametrize("seed", range(4))
def test_a_gate_on_a_dead_expert_is_lost_without_dropout_and_recovers_with_it(seed: int) -> None:
    stuck, high = fitted(seed, kind="one_gate", gate_dropout=0.0)
    assert polarised(stuck) == ["gate polarises: `all` takes 100% from expert 1"]
    assert "gate: expert 1 dies, 100% of its units are always 0" in stuck.alarms
    recovered, low = fitted(seed, kind="one_gate", gate_dropout=0.3)
    assert polarised(recovered) == []
    assert max(recovered.gates[0].tasks[0]) < 0.8
    assert low < 0.4 * high


def test_of_a_gate_a_task_every_one_is_lost_without_dropout_and_most_recover_with_it() -> None:
    stuck, recovered = (fitted(1, kind="mmoe", gate_dropout=dropout)[0] for dropout in (0.0, 0.2))
    assert polarised(stuck) == [f"gate polarises: `{name}` takes 100% from expert 1" for name in NAMES]
    assert len(polarised(recovered)) <= 1
