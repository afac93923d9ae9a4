"""Costs: counts that a hand can check."""

import pytest
import torch

from model.costs import costs
from model.ranker import MultiTaskRanker
from model.sharing import AnySharing
from tests.model.builders import TASKS, full_schema, kinds, make_arrays, make_encoder, make_ranker, make_schema, tensors

SMALL = make_encoder(
    make_schema(
        {"name": "video_id", "kind": "category", "side": "candidate"},
        {"name": "age", "kind": "number", "side": "user"},
    )
)


def small(**sharing: object) -> MultiTaskRanker:
    network = {"embedding_dim": 4, "hidden_units": 12, "tower_units": [6]}
    return make_ranker(SMALL, network=network, sharing=sharing, position_bias=None)


def test_a_small_ranker_counted_by_hand() -> None:
    ranker = small(kind="mmoe", num_experts=3, expert_units=[5])
    found, request = costs(ranker), ranker.inputs.in_dims[0]
    assert found.embeddings == 4 * SMALL.schema.tables(SMALL.fitted)["video_id"].num_codes
    assert found.shared == (request * 12 + 12) + 4 * 12 + 3 * (12 * 5 + 5)
    assert found.per_task == (12 * 3 + 3) + (5 * 6 + 6) + (6 + 1)
    assert found.parameters == found.embeddings + found.shared + len(TASKS) * found.per_task
    assert found.request_multiplications == request * 12
    of_tasks = 12 * 3 + 3 * 5 + 5 * 6 + 6  # gate, mixture, tower
    assert found.candidate_multiplications == 4 * 12 + 3 * 12 * 5 + len(TASKS) * of_tasks


@pytest.mark.parametrize("kind", [one.model_fields["kind"].default for one in kinds(AnySharing)])
def test_of_every_architecture_the_parts_make_the_whole(kind: str) -> None:
    ranker = make_ranker(make_encoder(full_schema()), sharing={"kind": kind})
    before = {name: one.clone() for name, one in ranker.state_dict().items()}
    found = costs(ranker.train())
    assert found.parameters == sum(one.numel() for one in ranker.parameters())
    assert found.parameters == found.embeddings + found.shared + len(TASKS) * found.per_task
    assert found.candidate_multiplications > 0
    assert ranker.training
    assert all(torch.equal(one, before[name]) for name, one in ranker.state_dict().items())


def test_nothing_shared_costs_a_network_a_task() -> None:
    whole, bottom = costs(small(kind="independent", units=[5])), costs(small(kind="shared_bottom", units=[5]))
    assert whole.shared == 0
    assert whole.embeddings == len(TASKS) * bottom.embeddings
    assert whole.per_task == bottom.shared + bottom.per_task
    assert whole.request_multiplications == len(TASKS) * bottom.request_multiplications


def test_multiplications_do_not_depend_on_what_is_counted_on() -> None:
    """Not on a history's length, which is that of the array."""
    encoder = make_encoder(full_schema())
    ranker = make_ranker(encoder)
    first = costs(ranker)
    ranker(tensors(make_arrays(encoder, 10)))
    assert costs(ranker) == first


def test_it_reads_as_one_line() -> None:
    text = str(costs(small(kind="shared_bottom")))
    assert "\n" not in text
    assert "parameters" in text and "multiplications a candidate" in text
