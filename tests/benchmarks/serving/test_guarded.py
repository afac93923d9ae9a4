"""Guarded: the ratio of two services, asked in turn."""

from benchmarks.serving.guarded import ratio
from benchmarks.serving.load import Figures


def test_a_noisy_round_is_everyones() -> None:
    ones = [Figures(p50, 9.0, 9.0, 9.0) for p50 in (2.2, 22.0, 2.4)]
    others = [Figures(p50, 9.0, 9.0, 9.0) for p50 in (2.0, 20.0, 2.0)]
    assert abs(ratio(ones, others, "p50") - 1.1) < 1e-9
