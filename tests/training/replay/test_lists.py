"""Lists against the plain way: one request after the other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.metrics import spearman
from training.replay.lists import Lists


def drawn(seed: int, num_rows: int = 60) -> tuple[Lists, np.ndarray, np.ndarray]:
    """Lists of very different lengths, mixed in the split; two orders with many ties."""
    random = np.random.default_rng(seed)
    groups = random.integers(-5, 6, num_rows)
    lists = Lists.of(groups, groups * 7, np.ones(num_rows, dtype=bool), 1)
    one, other = random.integers(0, 6, (2, len(lists.rows))).astype(float)
    return lists, one, other


def each(lists: Lists) -> list[slice]:
    return [slice(start, start + size) for start, size in zip(lists.starts, lists.sizes, strict=True)]


def test_only_long_and_wholly_usable_requests_are_kept_with_their_rows_in_order() -> None:
    groups = np.array([4, 2, 4, 9, 2, 4, 9, 9])
    usable = np.array([1, 1, 1, 1, 1, 1, 0, 1], dtype=bool)
    lists = Lists.of(groups, np.arange(8) + 100, usable, longer_than=1)
    assert lists.rows.tolist() == [1, 4, 0, 2, 5]
    assert (lists.starts.tolist(), lists.sizes.tolist(), lists.users.tolist()) == ([0, 2], [2, 3], [101, 100])
    assert Lists.of(groups, groups, usable, longer_than=2).rows.tolist() == [0, 2, 5]
    assert Lists.of(groups, groups, usable, longer_than=3).num_lists == 0


@given(st.integers(0, 10_000))
def test_top_is_a_stable_sort_of_every_request(seed: int) -> None:
    lists, order_by, _ = drawn(seed)
    top = lists.top(order_by, 2)
    for number, part in enumerate(each(lists)):
        assert (top[number] - part.start).tolist() == np.argsort(-order_by[part], kind="stable")[:2].tolist()


@given(st.integers(0, 10_000))
def test_rank_correlation_is_spearmans_of_every_request(seed: int) -> None:
    lists, one, other = drawn(seed)
    expected = [spearman(one[part], other[part]) for part in each(lists)]
    assert lists.rank_correlation(one, other) == pytest.approx(expected, nan_ok=True)


def test_overlap_is_the_share_of_one_top_in_the_other() -> None:
    lists = Lists.of(np.array([0, 0, 0, 1, 1, 1]), np.zeros(6, int), np.ones(6, dtype=bool), 2)
    one, other = lists.top(np.array([3.0, 2, 1, 3, 2, 1]), 2), lists.top(np.array([1.0, 2, 3, 2, 3, 1]), 2)
    assert lists.overlap(one, other).tolist() == [0.5, 1.0]


def test_the_first_lists_are_whole() -> None:
    lists, _, _ = drawn(3)
    some = lists.first(2)
    assert some.num_lists == 2 and some.rows.tolist() == lists.rows[: lists.sizes[:2].sum()].tolist()
