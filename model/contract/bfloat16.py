"""bfloat16 in numpy, which has no such type: the upper half of a float32's bits, as uint16."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Bfloats = NDArray[np.uint16]


def rounded(values: NDArray[np.float32]) -> Bfloats:
    """To the nearest; of two as near, the one farther from zero."""
    bits = values.view(np.uint32) + np.uint32(0x8000)
    bits >>= 16
    return bits.astype(np.uint16)


def widened(values: Bfloats) -> NDArray[np.float32]:
    """Exactly the same numbers."""
    bits = values.astype(np.uint32)
    bits <<= 16
    return bits.view(np.float32)


def is_bfloat16(values: NDArray[Any]) -> bool:
    """No array that a graph reads is of uint16 otherwise."""
    return values.dtype == np.uint16
