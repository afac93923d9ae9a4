"""bfloat16: rounded to the nearest, and widened to the same number."""

import numpy as np
import torch

from model.contract.bfloat16 import is_bfloat16, rounded, widened

VALUES = np.concatenate(
    [
        np.random.default_rng(0).normal(size=1000) * 10.0 ** np.random.default_rng(1).integers(-30, 30, 1000),
        [0.0, -0.0, 1.0, -2.5, np.inf, -np.inf],
    ]
).astype(np.float32)


def test_it_is_the_nearest_there_is() -> None:
    found = rounded(VALUES.reshape(2, -1))
    assert is_bfloat16(found) and not is_bfloat16(VALUES)
    expected = torch.from_numpy(VALUES).to(torch.bfloat16).float().numpy()
    between = VALUES.view(np.uint32) & 0xFFFF == 0x8000  # torch takes the even one of two as near
    assert between.sum() < 5
    np.testing.assert_array_equal(widened(found).ravel()[~between], expected[~between])


def test_what_is_widened_is_rounded_to_itself() -> None:
    every = np.arange(2**16, dtype=np.uint16)
    numbers = every[np.isfinite(widened(every))]
    np.testing.assert_array_equal(rounded(widened(numbers)), numbers)


def test_of_two_as_near_it_takes_the_one_farther_from_zero() -> None:
    between = np.array([0x3F808000, 0xBF818000], dtype=np.uint32).view(np.float32)
    assert rounded(between).tolist() == [0x3F81, 0xBF82]


def test_a_number_that_is_none_stays_none() -> None:
    assert np.isnan(widened(rounded(np.array([np.nan, -np.nan], dtype=np.float32)))).all()
