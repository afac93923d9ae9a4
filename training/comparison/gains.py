"""MTL gain: what a task wins by sharing a network, over its single-task twin, and how sure that is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.comparison.measures import Figure
from training.evidence.draws import Interval

Array = NDArray[np.float64]
# The 97.5% quantile of Student's t by 1 / degrees of freedom, on which its logarithm is nearly straight.
T_QUANTILES = {
    0: 1.960,
    1 / 30: 2.042,
    1 / 10: 2.228,
    1 / 5: 2.571,
    1 / 3: 3.182,
    1 / 2: 4.303,
    1 / 1.5: 6.017,
    1 / 1.2: 8.649,
    1: 12.706,
}


@dataclass(frozen=True, slots=True)
class Measurements:
    """One metric of one task in one arm, NaN where it cannot be had: `values` `[seed]`, `replicates` `[seed, draw]`."""

    values: Array
    replicates: Array

    @classmethod
    def of(cls, figures: Sequence[Figure]) -> "Measurements":
        values = [one.value for one in figures]
        return cls(np.array(values, dtype=float), np.array([one.replicates for one in figures], dtype=float))


def gain(multi: Measurements, single: Measurements, direction: int) -> Interval:
    """M_multi - M_single, reversed for errors (Tang et al., RecSys 2020, equation 11): above 0, sharing helps.

    The interval covers what another training would have changed, and what other users of the same kind would have: its
    variance is that of the mean over seeds, each seed paired with itself, plus that of this mean over draws of users.
    Its degrees of freedom are Welch and Satterthwaite's, those of the draws unlimited.
    """
    by_seed = direction * (multi.values - single.values)
    by_users = direction * (multi.replicates - single.replicates).mean(0)
    mean, num_seeds = float(by_seed.mean()), len(by_seed)
    from_seeds = float(by_seed.var(ddof=1)) / num_seeds
    known = by_users[np.isfinite(by_users)]  # a draw may have had one class only
    variance = from_seeds + (float(known.var(ddof=1)) if len(known) > 1 else math.nan)
    part = from_seeds / variance if variance > 0 else 0.0
    half = t_quantile(part**2 / (num_seeds - 1)) * math.sqrt(variance)
    return Interval(mean, mean - half, mean + half)


def t_quantile(inverse_df: float) -> float:
    """Of Student's t at 97.5%, right to half a percent, from 1 / degrees of freedom between 0 and 1."""
    return float(np.exp(np.interp(inverse_df, list(T_QUANTILES), np.log(list(T_QUANTILES.values())))))
