"""Hardware: where a run computes, and in which numbers."""

import ctypes
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Literal

import torch
from torch import Tensor

Precision = Literal["float32", "bfloat16"]
DeviceName = Literal["auto", "cpu", "cuda"]
NUM_TRIALS = 5
WORTH_IT = 0.8  # what bfloat16 must take of the time of float32, to be chosen
NAMES: tuple[Precision, ...] = ("float32", "bfloat16")
# Of glibc's mallopt: how many blocks are asked of the system one by one; how much free memory is kept, and how much is
# asked for at once.
MMAP_MAX, TRIM_THRESHOLD, TOP_PAD = -4, -1, -2
KEPT: Mapping[int, int] = {MMAP_MAX: 0, TRIM_THRESHOLD: 2**31 - 1, TOP_PAD: 2**26}


def compute_deterministically() -> None:
    """Equal steps from equal weights, bit for bit on one machine."""
    torch.use_deterministic_algorithms(True)
    # Nothing here reads what it has not written: to fill all new memory would only take time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


@contextmanager
def in_any_order() -> Iterator[None]:
    """For writes to places no two of which are the same: torch cannot know that, and where it computes
    deterministically does one after the other.
    """
    was = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(False)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(was)


def keep_freed_memory() -> None:
    """From now on this process keeps what it frees for what it allocates next. A step frees and allocates hundreds of
    megabytes: to have the system take them back and give them out again, emptied page by page, takes a fifth of it.
    """
    with suppress(AttributeError):  # another malloc than glibc's
        for parameter, value in KEPT.items():
            ctypes.CDLL(None).mallopt(parameter, value)


def device_of(name: DeviceName) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def moved(tensors: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """To a GPU through pinned memory: it goes on computing while they are copied."""
    if device.type == "cpu":
        return dict(tensors)
    return {name: one.pin_memory().to(device, non_blocking=True) for name, one in tensors.items()}


def in_large_pages(values: Tensor) -> Tensor:
    """A copy in memory that numpy, other than torch, asks the system to lay in large pages: rows that are picked at
    random from gigabytes are found faster there.
    """
    return torch.from_numpy(values.numpy().copy()) if values.device.type == "cpu" else values


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
