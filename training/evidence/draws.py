"""Draws: users resampled with replacement many times at once, as weights (the Poisson bootstrap, clustered by user)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
NUM_DRAWS = 300
MOST_CLUSTERS = 20_000  # users beyond are drawn in groups: enough for an interval, and bounded memory
ELEMENTS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95% interval; all NaN where it cannot be had."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Draws:
    """`weights` `[draw, user]`: how often each user was drawn; `user` `[row]`: whose the row is.

    A Poisson(1) count each, which comes to the multinomial of the ordinary bootstrap (Chamandy et al., Google, 2012).
    Rows of one user depend on each other, so users are drawn and not rows.
    """

    weights: Array
    user: NDArray[np.int64]

    @classmethod
    def of(cls, users: NDArray[np.int64], num_draws: int = NUM_DRAWS, seed: int = 0) -> "Draws":
        distinct, user = np.unique(users, return_inverse=True)
        num_clusters = min(len(distinct), MOST_CLUSTERS)
        counts = np.random.default_rng(seed).poisson(1.0, (num_draws, num_clusters))
        return cls(counts.astype(np.float64), user % num_clusters)

    def at(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "Draws":
        """The same draws of users, of some rows alone."""
        return Draws(self.weights, self.user[rows])

    def totals(self, values: Array) -> Array:
        """`[draw]`: the sum of `values` `[row]` in each draw."""
        return self.weights @ np.bincount(self.user, weights=values, minlength=self.weights.shape[1])

    def totals_by(self, values: Array, part: NDArray[np.int64], num_parts: int) -> Array:
        """`[draw, part]`: the same of the rows of each part, which `part` `[row]` numbers."""
        num_users = self.weights.shape[1]
        cells = np.bincount(self.user * num_parts + part, weights=values, minlength=num_users * num_parts)
        return self.weights @ cells.reshape(num_users, num_parts)

    def blocks(self) -> Iterator[Array]:
        """`[some draws, row]` weights of rows, a bounded number of them at once."""
        at_once = max(1, ELEMENTS_AT_ONCE // max(len(self.user), 1))
        for start in range(0, len(self.weights), at_once):
            yield self.weights[start : start + at_once][:, self.user]

    def interval(self, value: float, replicates: Array, lowest: float, highest: float) -> Interval:
        """From the figure itself and `replicates` `[draw]`, within what the figure can be.

        The replicates are shifted to have the figure as their mean: resampling inflates an error that cannot be
        negative (an ECE), and its plain percentiles may leave the figure outside.
        """
        known = replicates[np.isfinite(replicates)]
        if not np.isfinite(value) or not len(known):
            return Interval(value, float("nan"), float("nan"))
        low, high = np.quantile(known, [0.025, 0.975]) - known.mean() + value
        return Interval(value, float(np.clip(low, lowest, value)), float(np.clip(high, value, highest)))
