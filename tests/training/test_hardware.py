"""The faster precision is found by trials in turn."""

import time

import pytest
import torch

from training.hardware import NUM_TRIALS, Precision, device_of, faster_precision


@pytest.mark.parametrize(("slow", "expected"), [("float32", "bfloat16"), ("bfloat16", "float32")])
def test_the_one_that_takes_less_time_is_chosen(slow: str, expected: str) -> None:
    attempted: list[Precision] = []

    def attempt(name: Precision) -> None:
        attempted.append(name)
        time.sleep(0.02 if name == slow else 0.0)

    assert faster_precision(attempt) == expected
    assert attempted == ["float32", "bfloat16"] * (NUM_TRIALS + 1)


def test_a_device_is_taken_by_its_name() -> None:
    assert device_of("cpu") == torch.device("cpu")
    assert device_of("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
