"""Lists: the rows of a split, request by request, and what any order of them is made of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Lists:
    """`rows` `[row]` numbers rows of a split, those of a request side by side; `starts`, `sizes` and `users` `[list]`
    say where among them each request begins, how many candidates it has and whose it is. All that is `[row]` elsewhere
    in this package is in the order of `rows`.
    """

    rows: Ints
    starts: Ints
    sizes: Ints
    users: Ints

    @classmethod
    def of(cls, groups: Ints, users: Ints, usable: Bools, longer_than: int) -> "Lists":
        """The requests with more than `longer_than` candidates, all of them usable; arguments are `[row of split]`."""
        order = np.argsort(groups, kind="stable")
        starts = np.flatnonzero(np.diff(groups[order], prepend=groups[order[0]] - 1))
        sizes = np.diff(np.append(starts, len(order)))
        kept = (sizes > longer_than) & np.logical_and.reduceat(usable[order], starts)
        rows, sizes = order[np.repeat(kept, sizes)], sizes[kept]
        starts = np.cumsum(sizes) - sizes
        return cls(rows, starts, sizes, users[rows[starts]])

    @property
    def num_lists(self) -> int:
        return len(self.starts)

    @property
    def owner(self) -> Ints:
        """`[row]`: the number of its list."""
        return np.repeat(np.arange(self.num_lists), self.sizes)

    def first(self, num_lists: int) -> "Lists":
        """The first few: as good as drawn at random, for groups are sorted by a hash."""
        num_rows = int(self.sizes[:num_lists].sum())
        return Lists(self.rows[:num_rows], self.starts[:num_lists], self.sizes[:num_lists], self.users[:num_lists])

    def top(self, order_by: Array, k: int) -> Ints:
        """`[list, k]`: where in `rows` the k best are, best first; ties keep the order of the rows, as when serving."""
        order = np.lexsort((-order_by, self.owner))
        return order[self.starts[:, None] + np.arange(k)]

    def overlap(self, one: Ints, other: Ints) -> Array:
        """`[list]`: the share of one top `[list, k]` that is in the other as well."""
        there = np.zeros(len(self.rows), dtype=np.bool_)
        there[other] = True
        return there[one].mean(axis=1)

    def rank_correlation(self, one: Array, other: Array) -> Array:
        """`[list]`: Spearman's rank correlation of two orders `[row]`, ties averaged; NaN where one is all ties."""
        sides = [self._centred_ranks(order_by) for order_by in (one, other)]
        product, left, right = (
            np.add.reduceat(a * b, self.starts)
            for a, b in ((sides[0], sides[1]), (sides[0], sides[0]), (sides[1], sides[1]))
        )
        spread = np.sqrt(left * right)
        return np.divide(product, spread, out=np.full(self.num_lists, np.nan), where=spread > 0)

    def _centred_ranks(self, order_by: Array) -> Array:
        """`[row]`: the rank in its list, ties averaged, less the mean rank of the list."""
        owner = self.owner
        order = np.lexsort((order_by, owner))
        value, of = order_by[order], owner[order]
        run = np.cumsum(np.append(True, (of[1:] != of[:-1]) | (value[1:] != value[:-1]))) - 1  # equal ones of one list
        lengths = np.bincount(run)
        middle = (np.cumsum(lengths) - (lengths + 1) / 2)[run]  # of all rows, from 0
        ranks = np.empty(len(order))
        ranks[order] = middle - (self.starts + (self.sizes - 1) / 2)[of]
        return ranks
