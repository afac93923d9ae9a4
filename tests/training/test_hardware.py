"""The faster precision is found by trials in turn; memory that was freed is used again."""

import resource
import subprocess
import sys
import time

import pytest
import torch

from training.hardware import NUM_TRIALS, Precision, device_of, faster_precision, in_any_order


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


@pytest.mark.parametrize("was", [True, False])
def test_any_order_holds_for_as_long_as_it_was_asked_for(was: bool) -> None:
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(was)
    try:
        with pytest.raises(ValueError, match="within"), in_any_order():
            assert not torch.are_deterministic_algorithms_enabled()
            raise ValueError("within")
        assert torch.are_deterministic_algorithms_enabled() == was
    finally:
        torch.use_deterministic_algorithms(before)


FAULTS = """
import ctypes
import resource
import torch
from training.hardware import keep_freed_memory

PR_SET_THP_DISABLE = 41  # large pages, where the system gives them to all, would hide what is counted
assert ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(12_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(min(faults() for _ in range(10)))
keep_freed_memory()
print(min(faults() for _ in range(10)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory is left to the system")
def test_memory_that_was_freed_is_not_asked_for_again() -> None:
    """The system empties each of its pages, 11,719 where they have 4 kB, when it is first written."""
    told = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True).stdout
    before, after = map(int, told.split())
    assert before > 0.9 * 48_000_000 / resource.getpagesize()
    assert after < 100
