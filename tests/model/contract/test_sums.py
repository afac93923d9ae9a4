"""Sums: what the rank graph reads of two halves, in every layout and precision, compiled or not."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.contract.bfloat16 import is_bfloat16, rounded, widened
from model.contract.graphs import ENTERED, RECTIFIED
from model.contract.halves import KEPT_IN, NOWHERE
from model.contract.serving import Precision
from model.contract.sums import Layout, Sums

parts = st.tuples(st.sampled_from([ENTERED, RECTIFIED]), st.sampled_from([(), (1,), (3,)]), st.integers(1, 40))
both = pytest.mark.parametrize("read_in", Precision)


def layout_of(described: list[tuple[str, tuple[int, ...], int]], precision: Precision) -> Layout:
    inputs: dict[str, list[Any]] = {"bias_logits": [1, 4]}
    for at, (prefix, networks, width) in enumerate(described):
        inputs[f"{prefix}{at}"] = (
            [*networks, "candidate", width] if prefix == RECTIFIED else ["candidate", *networks, width]
        )
    return Layout(inputs, precision)


@both
@pytest.mark.parametrize("kept_in", Precision)
@given(described=st.lists(parts, min_size=1, max_size=4), seed=st.integers(0, 99), num_rows=st.integers(1, 9))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_part_has_its_columns_of_the_sum(
    either: Any, kept_in: Precision, read_in: Precision, described: Any, seed: int, num_rows: int
) -> None:
    layout, random = layout_of(described, read_in), np.random.default_rng(seed)
    half, halves = (random.normal(size=(count, layout.dim)).astype(np.float32) for count in (1, 5))
    values, places = KEPT_IN[kept_in](halves), random.integers(0, 5, num_rows).astype(np.int32)
    sums = Sums(layout, num_rows)
    sums.add(half, values, places)
    total = half + (widened(values) if is_bfloat16(values) else values)[places]
    start = 0
    for (prefix, networks, width), array in zip(described, sums.arrays.values(), strict=True):
        count = int(np.prod(networks))
        part = total[:, start : start + count * width].reshape(num_rows, *networks, width)
        expected = np.moveaxis(np.maximum(part, 0), 0, -2) if prefix == RECTIFIED else part
        np.testing.assert_array_equal(array, rounded(expected) if read_in is Precision.BFLOAT16 else expected)
        start += count * width
    assert start == layout.dim


@both
def test_candidates_without_a_half_are_for_another_call(either: Any, read_in: Precision) -> None:
    layout = layout_of([(ENTERED, (2,), 3), (RECTIFIED, (), 5)], read_in)
    half, values = np.ones((1, 11), dtype=np.float32), np.arange(22, dtype=np.float32).reshape(2, 11)
    sums, whole = Sums(layout, 4), Sums(layout, 4)
    for array in sums.arrays.values():
        array[:] = 7
    sums.add(half, values, np.array([NOWHERE, 1, NOWHERE, 0], dtype=np.int32))
    assert (sums.arrays["entered.0"][[0, 2]] == 7).all() and (sums.arrays["rectified.1"][[0, 2]] == 7).all()
    sums.add(half, values, np.array([0, NOWHERE, 1, NOWHERE], dtype=np.int32))
    whole.add(half, values, np.array([0, 1, 1, 0], dtype=np.int32))
    for name, array in whole.arrays.items():
        np.testing.assert_array_equal(sums.arrays[name], array)


@pytest.mark.parametrize("prefix", [ENTERED, RECTIFIED])
def test_what_is_no_number_stays_none(either: Any, prefix: str) -> None:
    sums = Sums(layout_of([(prefix, (), 3)], Precision.FLOAT32), 1)
    values = np.array([[np.nan, np.inf, -np.inf]], dtype=np.float32)
    sums.add(np.zeros((1, 3), dtype=np.float32), values, np.zeros(1, dtype=np.int32))
    expected = [np.nan, np.inf, -np.inf if prefix == ENTERED else 0]
    np.testing.assert_array_equal(next(iter(sums.arrays.values()))[0], expected)
