"""Vocabulary: strings to integer codes, as one sorted array that many processes can map at once."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING, UNKNOWN, NUM_RESERVED = 0, 1, 2
LONGEST_TOKEN = 64
HASHED = b"\x01"


def token(value: str) -> bytes:
    """The bytes that stand for a string: itself, or a hash where it would make the array wide or end in the padding."""
    raw = value.encode("utf-8", "surrogatepass")
    if len(raw) <= LONGEST_TOKEN and b"\0" not in raw and not raw.startswith(HASHED):
        return raw
    return HASHED + hashlib.blake2b(raw, digest_size=24).hexdigest().encode()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Codes: 0 missing, 1 unknown (out of vocabulary), 2 and up the known strings in the order of their bytes."""

    tokens: NDArray[np.bytes_]

    @classmethod
    def of(cls, values: Iterable[str]) -> "Vocabulary":
        return cls(np.unique(np.array([token(value) for value in values] or [], dtype=bytes)))

    @property
    def num_codes(self) -> int:
        return len(self.tokens) + NUM_RESERVED

    def codes(self, values: Sequence[str | None]) -> NDArray[np.int32]:
        """`[value]` int32."""
        out = np.zeros(len(values), dtype=np.int32)
        present = np.array([bool(value) for value in values], dtype=bool)
        wanted: NDArray[Any] = np.array([token(value) for value in values if value], dtype=bytes)
        if not len(wanted):
            return out
        out[present] = UNKNOWN
        if len(self.tokens):
            at = np.minimum(np.searchsorted(self.tokens, wanted), len(self.tokens) - 1)
            out[present] = np.where(self.tokens[at] == wanted, at + NUM_RESERVED, UNKNOWN)
        return out
