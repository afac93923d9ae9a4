"""The history encoder is a function of a set."""

import torch
from torch import Tensor

from model.history import HistoryEncoder

BATCH, LENGTH, DIM, OUTCOMES = 5, 6, 4, 2


def drawn(seed: int = 0) -> tuple[HistoryEncoder, Tensor, Tensor, Tensor]:
    torch.manual_seed(seed)
    present = torch.rand(BATCH, LENGTH) < 0.6
    present[0], present[1] = False, True
    return (
        HistoryEncoder(DIM, OUTCOMES, 3),
        torch.randn(BATCH, LENGTH, DIM),
        torch.rand(BATCH, LENGTH, OUTCOMES),
        present,
    )


def test_the_order_does_not_matter() -> None:
    encoder, videos, outcomes, present = drawn()
    order = torch.randperm(LENGTH)
    torch.testing.assert_close(
        encoder(videos[:, order], outcomes[:, order], present[:, order]), encoder(videos, outcomes, present)
    )


def test_what_is_not_present_does_not_matter() -> None:
    encoder, videos, outcomes, present = drawn()
    absent = ~present.unsqueeze(2)
    junk = torch.where(absent, 1e6, videos), torch.where(absent, -1e6, outcomes)
    longer = [torch.cat([one, one[:, :2]], 1) for one in (*junk, torch.zeros_like(present))]
    longer[2][:, :LENGTH] = present
    expected = encoder(videos, outcomes, present)
    torch.testing.assert_close(encoder(*junk, present), expected)
    torch.testing.assert_close(encoder(*longer), expected)


def test_it_is_the_mean_of_the_pairs_with_mean_outcomes_and_count() -> None:
    encoder, videos, outcomes, present = drawn()
    found = encoder(videos, outcomes, present)
    assert found.shape == (BATCH, encoder.out_dim)
    for row in range(1, BATCH):
        pairs = torch.cat([videos[row][present[row]], outcomes[row][present[row]]], 1)
        mean = torch.relu(encoder.pair(pairs)).mean(0)
        count = torch.log1p(present[row].sum().float()).reshape(1)
        torch.testing.assert_close(found[row], torch.cat([mean, outcomes[row][present[row]].mean(0), count]))


def test_an_empty_history_is_zeros_with_a_finite_gradient() -> None:
    encoder, videos, outcomes, present = drawn()
    found = encoder(videos, outcomes, present & False)
    assert not found.any()
    found.sum().backward()
    assert encoder.pair.weight.grad is not None
    assert encoder.pair.weight.grad.isfinite().all()
