"""Hardware: where a run computes, and in which numbers."""

import statistics
import time
from collections.abc import Callable
from typing import Literal

import torch

Precision = Literal["float32", "bfloat16"]
DeviceName = Literal["auto", "cpu", "cuda"]
NUM_TRIALS = 5
WORTH_IT = 0.8  # what bfloat16 must take of the time of float32, to be chosen
NAMES: tuple[Precision, ...] = ("float32", "bfloat16")


def device_of(name: DeviceName) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def faster_precision(attempt: Callable[[Precision], None]) -> Precision:
    """bfloat16 where `attempt`, which computes in it, is clearly faster in it: by medians of trials in turn."""
    seconds: dict[Precision, list[float]] = {name: [] for name in NAMES}
    for trial in range(NUM_TRIALS + 1):
        for name in NAMES:
            start = time.perf_counter()
            attempt(name)
            if trial:  # the first of each prepares what the others find
                seconds[name].append(time.perf_counter() - start)
    float32, bfloat16 = (statistics.median(seconds[name]) for name in NAMES)
    return "bfloat16" if bfloat16 < WORTH_IT * float32 else "float32"
