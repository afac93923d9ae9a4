"""The history encoder is a function of a set, target attention of a set and a candidate."""

import pytest
import torch
from torch import Tensor

from model.history import HistoryEncoder, TargetAttention

BATCH, LENGTH, DIM, OUTCOMES, WIDTH, SMOOTHING = 5, 6, 4, 2, 3, 2.0
Pairs = tuple[Tensor, Tensor, Tensor]


def drawn() -> Pairs:
    """Videos, outcomes and which of them are there: of the first row none, of the second all."""
    torch.manual_seed(0)
    present = torch.rand(BATCH, LENGTH) < 0.6
    present[0], present[1] = False, True
    return torch.randn(BATCH, LENGTH, DIM), torch.rand(BATCH, LENGTH, OUTCOMES), present


def encoder() -> HistoryEncoder:
    torch.manual_seed(1)
    return HistoryEncoder(DIM, OUTCOMES, WIDTH, SMOOTHING)


def attention(length: int = LENGTH) -> TargetAttention:
    torch.manual_seed(1)
    return TargetAttention(DIM, OUTCOMES, length, WIDTH)


def encoded(videos: Tensor, outcomes: Tensor, present: Tensor) -> Tensor:
    return encoder()(videos, outcomes, present)


def attended(videos: Tensor, outcomes: Tensor, present: Tensor) -> Tensor:
    asked = attention(videos.shape[1])
    return asked(queries(), asked.memory(videos, outcomes, present))


def queries(batch: int = BATCH) -> Tensor:
    return torch.randn(batch, WIDTH, generator=torch.Generator().manual_seed(2))


each = pytest.mark.parametrize("read", [encoded, attended])


@each
def test_the_order_does_not_matter(read: object) -> None:
    pairs, order = drawn(), torch.randperm(LENGTH)
    torch.testing.assert_close(read(*(one[:, order] for one in pairs)), read(*pairs))


@each
def test_what_is_not_present_does_not_matter(read: object) -> None:
    videos, outcomes, present = drawn()
    absent = ~present.unsqueeze(2)
    junk = torch.where(absent, 1e6, videos), torch.where(absent, -1e6, outcomes)
    longer = [torch.cat([one, one[:, :2]], 1) for one in (*junk, torch.zeros_like(present))]
    longer[2][:, :LENGTH] = present
    expected = read(videos, outcomes, present)
    torch.testing.assert_close(read(*junk, present), expected)
    torch.testing.assert_close(read(*longer), expected)


@each
def test_an_empty_history_is_zeros_with_a_finite_gradient(read: object) -> None:
    videos, outcomes, present = drawn()
    videos.requires_grad_()
    found = read(videos, outcomes, present & False)
    assert not found.any()
    found.sum().backward()
    assert videos.grad is not None
    assert videos.grad.isfinite().all()


def test_the_user_is_the_smoothed_mean_of_the_pairs() -> None:
    videos, outcomes, present = drawn()
    network = encoder()
    found = network(videos, outcomes, present)
    assert found.shape == (BATCH, network.out_dim)
    for row in range(BATCH):
        pairs = torch.cat([videos[row][present[row]], outcomes[row][present[row]]], 1)
        expected = torch.relu(network.pair(pairs)).sum(0) / (len(pairs) + SMOOTHING)
        torch.testing.assert_close(found[row], expected)


def test_attention_is_a_softmax_over_the_pairs_and_one_that_says_nothing() -> None:
    videos, outcomes, present = drawn()
    network = attention()
    found = network(queries(), network.memory(videos, outcomes, present))
    for row in range(BATCH):
        seen, what = videos[row][present[row]], outcomes[row][present[row]]
        pairs = torch.cat([seen, what], 1)
        scores = network.key(seen) @ queries()[row] / WIDTH**0.5 + network.weight(pairs)[:, 0]
        shares = torch.cat([scores, network.silence]).exp()
        expected = (shares[:-1, None] * torch.relu(network.value(pairs))).sum(0) / shares.sum()
        torch.testing.assert_close(found[row], expected)


def test_one_memory_serves_all_candidates() -> None:
    network, many = attention(), 50
    memory = network.memory(*(one[1:2] for one in drawn()))
    assert memory.shape == (1, network.memory_dim)
    torch.testing.assert_close(network(queries(many), memory), network(queries(many), memory.expand(many, -1)))


def test_a_candidate_hears_what_is_like_it() -> None:
    """Two videos, of which one was liked: asked for the one or for the other, the answer is another."""
    network = attention(length=2)
    videos, outcomes = torch.eye(2, DIM).unsqueeze(0) * 9, torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    memory = network.memory(videos, outcomes, torch.ones(1, 2, dtype=torch.bool))
    keys = network.key(videos)[0].detach()
    asked = network((keys - keys.mean(0)) * 9, memory)
    alone = torch.relu(network.value(torch.cat([videos, outcomes], 2)))[0]
    torch.testing.assert_close(asked, alone, rtol=0.05, atol=0.05)
