"""Health: the quantiles of a histogram."""

import numpy as np
import pytest

from model.contract.drift import Intervals
from service.http.health import quantile
from service.telemetry.tally import Counts


def counts(*window: float) -> Counts:
    return Counts(Intervals(edges=(1.0, 2.0, 4.0)), np.zeros(5), 0.0, np.array(window))


@pytest.mark.parametrize(("share", "expected"), [(0.5, 1.0), (0.75, 2.0), (0.875, 3.0), (0.25, 0.5)])
def test_values_lie_evenly_in_their_bin(share: float, expected: float) -> None:
    assert quantile(counts(4, 2, 2, 0, 0), share) == pytest.approx(expected)


def test_beyond_the_last_edge_is_the_last_edge_and_of_nothing_is_nothing() -> None:
    assert quantile(counts(0, 0, 0, 5, 0), 0.5) == 4.0
    assert quantile(counts(0, 0, 0, 0, 0), 0.5) is None
