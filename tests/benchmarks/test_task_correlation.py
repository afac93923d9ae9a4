"""The benchmark of task correlation: labels as the paper draws them, runs in pairs, and what is concluded."""

import numpy as np
import pytest
import torch

from benchmarks import task_correlation as tc
from benchmarks.task_correlation import ARCHITECTURES, CORRELATIONS, Outcome


def test_directions_have_the_correlation_as_their_cosine_and_pairs_of_runs_share_the_first() -> None:
    by_p = {p: tc.directions(p, torch.Generator().manual_seed(3)) for p in CORRELATIONS}
    for p, found in by_p.items():
        products = found @ found.transpose(1, 2)
        assert torch.allclose(products, torch.tensor([[1.0, p], [p, 1.0]]).expand_as(products), atol=1e-5)
        assert torch.equal(found[:, 0], by_p[1.0][:, 0])


def test_tasks_of_one_direction_have_labels_that_differ_by_their_noise() -> None:
    generator = torch.Generator().manual_seed(3)
    weights = tc.directions(1.0, generator)
    first, second = tc.labels(torch.randn(tc.BLOCK, 500, tc.IN_DIM, generator=generator), weights, generator).unbind(2)
    assert float((first - second).var()) == pytest.approx(2 * tc.NOISE**2, rel=0.05)


def test_experts_and_towers_have_as_many_weights_as_a_shared_bottom_and_its_towers() -> None:
    def weights(name: str) -> int:
        found = tc.build(ARCHITECTURES[name]).named_parameters()
        return sum(one.numel() for name, one in found if "biases" not in name and not name.endswith("gate"))

    assert weights("mmoe") == weights("one_gate") == pytest.approx(weights("shared_bottom"), rel=0.01)


def test_gaps_and_variances_are_of_runs_in_pairs() -> None:
    runs = np.arange(1.0, 41.0)

    def outcome(final: np.ndarray) -> Outcome:
        return Outcome(final, final[:, None])

    scale = dict(zip(ARCHITECTURES, (1.0, 2.0, 4.0), strict=True))
    outcomes = {name: {p: outcome(factor * (runs + 1.0 - p)) for p in CORRELATIONS} for name, factor in scale.items()}
    found = tc.conclusions(outcomes)
    assert found["final gap of mmoe"] == pytest.approx((0.5, 0.5, 0.5))
    assert found["course gap of shared_bottom - gap of one_gate"] == pytest.approx((1.0, 1.0, 1.0))
    assert found["variance of shared_bottom / of one_gate, p = 0.9"] == pytest.approx((4.0, 4.0, 4.0))
