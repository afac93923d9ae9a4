"""Stitch: a mix of all with all, near identity at first."""

import pytest
import torch

from model.sharing.stitch import Stitch


@pytest.mark.parametrize("counts", [(2,), (5,), (3, 2)])
def test_it_starts_near_identity_and_keeps_the_scale(counts: tuple[int, ...]) -> None:
    stitch, same = Stitch(*counts), torch.randn(4, 1, 6).expand(4, 6, 6)[:, : torch.Size(counts).numel()]
    values = same.reshape(4, *counts, 6)
    torch.testing.assert_close(stitch(values), values)
    alpha = stitch.alpha.flatten(len(counts)).flatten(0, len(counts) - 1)
    assert (alpha.diagonal() == 0.9).all()
    assert (alpha > 0).all()


def test_it_is_equation_1_of_cross_stitch_networks() -> None:
    torch.manual_seed(0)
    stitch, values = Stitch(3), torch.randn(4, 3, 6)
    torch.nn.init.normal_(stitch.alpha)
    found = stitch(values)
    for to in range(3):
        expected = sum(stitch.alpha[to, of] * values[:, of] for of in range(3))
        torch.testing.assert_close(found[:, to], expected)


def test_over_tasks_and_subspaces_every_subspace_mixes_with_every_other() -> None:
    torch.manual_seed(0)
    stitch, values = Stitch(3, 2), torch.randn(4, 3, 2, 6)
    torch.nn.init.normal_(stitch.alpha)
    found = stitch(values)
    for task in range(3):
        for part in range(2):
            mixed = [stitch.alpha[task, part, u, v] * values[:, u, v] for u in range(3) for v in range(2)]
            torch.testing.assert_close(found[:, task, part], torch.stack(mixed).sum(0))
