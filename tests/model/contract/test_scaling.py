"""Scaled values and bins keep the order of numbers, are bounded, and tell what is missing apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from model.contract.columns import LARGEST
from model.contract.scaling import FARTHEST, TRANSFORMS, Scaler, Transform

Array = NDArray[np.float64]
numbers = st.floats(-LARGEST, LARGEST, width=32).map(float)
columns = st.lists(numbers | st.just(float("nan")), max_size=40).map(np.array)
transforms = st.sampled_from(Transform)


def fit(values: Array, transform: Transform = Transform.NONE, num_bins: int = 8) -> Scaler:
    return Scaler.fit(np.asarray(values, dtype=np.float64), transform, num_bins)


@given(columns, transforms, st.integers(0, 32), columns)
def test_every_column_gives_a_scaler_that_takes_every_number(
    fitted: Array, transform: Transform, num_bins: int, asked: Array
) -> None:
    scaler = fit(fitted, transform, num_bins)
    missing = np.isnan(asked)
    scaled, bins = scaler.scale(asked), scaler.bins(asked)
    assert (scaled.shape, scaled.dtype, bins.dtype) == ((len(asked), 2), np.float32, np.int32)
    assert np.abs(scaled[:, 0]).max(initial=0) <= FARTHEST
    np.testing.assert_array_equal(scaled[:, 1], missing)
    np.testing.assert_array_equal(scaled[missing, 0], 0)
    np.testing.assert_array_equal(bins == 0, missing)
    assert bins.max(initial=0) < scaler.num_codes <= max(num_bins, 1) + 1


@given(columns, transforms, columns)
def test_order_is_kept(fitted: Array, transform: Transform, asked: Array) -> None:
    scaler, rising = fit(fitted, transform), np.sort(asked[~np.isnan(asked)])
    assert (np.diff(scaler.scale(rising)[:, 0]) >= 0).all()
    assert (np.diff(scaler.bins(rising)) >= 0).all()


@given(columns, transforms)
def test_a_number_alone_is_encoded_as_in_company(values: Array, transform: Transform) -> None:
    scaler = fit(values, transform)
    alone = [(scaler.scale(values[at : at + 1])[0], scaler.bins(values[at : at + 1])[0]) for at in range(len(values))]
    for at, (scaled, code) in enumerate(alone):
        np.testing.assert_array_equal(scaler.scale(values)[at], scaled)
        assert scaler.bins(values)[at] == code


@given(columns, transforms)
def test_a_scaler_survives_json_bit_for_bit(values: Array, transform: Transform) -> None:
    scaler = fit(values, transform)
    assert Scaler.model_validate_json(scaler.model_dump_json()) == scaler


@given(numbers, transforms, st.integers(1, 1000))
def test_a_constant_column_scales_to_zero_and_keeps_others_near(
    number: float, transform: Transform, count: int
) -> None:
    scaler = fit(np.full(count, number), transform)
    assert scaler.deviation == 1
    assert scaler.edges == ()
    np.testing.assert_array_equal(scaler.scale(np.array([number])), [[0, 0]])


def test_a_column_without_values_leaves_numbers_as_they_are() -> None:
    np.testing.assert_array_equal(fit(np.array([np.nan])).scale(np.array([0.5, np.nan])), [[0.5, 0], [0, 1]])


@pytest.mark.parametrize("transform", Transform)
def test_scaled_values_have_mean_0_and_deviation_1(transform: Transform) -> None:
    values = np.random.default_rng(0).lognormal(size=5_000)
    scaled = fit(values, transform).scale(values)[:, 0]
    np.testing.assert_allclose([scaled.mean(), scaled.std()], [0, 1], atol=0.05)


def test_quantile_bins_are_equally_filled() -> None:
    values = np.random.default_rng(0).lognormal(size=4_000)
    assert np.bincount(fit(values, Transform.LOG1P, 8).bins(values)).tolist() == [0, *[500] * 8]


@given(columns, columns)
def test_a_bin_begins_at_its_edge(fitted: Array, asked: Array) -> None:
    scaler, known = fit(fitted), asked[~np.isnan(asked)]
    for number in (*known, *scaler.edges):
        [code] = scaler.bins(np.array([number]))
        assert code == 1 + sum(edge <= number for edge in scaler.edges)


def test_a_frequent_lowest_value_makes_no_empty_bin() -> None:
    values = np.array([0.0] * 90 + [1.0, 2.0, 3.0, 4.0, 5.0] * 2)
    scaler = fit(values, num_bins=10)
    assert set(scaler.bins(values)) == set(range(1, scaler.num_codes))


@pytest.mark.parametrize("transform", Transform)
def test_every_transform_is_odd_and_rises(transform: Transform) -> None:
    values = np.linspace(-50, 50, 101)
    found = TRANSFORMS[transform](values)
    np.testing.assert_allclose(found, -TRANSFORMS[transform](-values))
    assert (np.diff(found) > 0).all()
