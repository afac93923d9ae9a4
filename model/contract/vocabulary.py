"""Vocabulary: strings to integer codes, as one sorted array that many processes can map at once."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MISSING, UNKNOWN, NUM_RESERVED = 0, 1, 2
LONGEST_TOKEN = 64
HASHED = b"\x01"
NUMBER_BYTES, NUMBER_PAYS = 8, 16


def token(value: str) -> bytes:
    """The bytes that stand for a string: itself, or a hash where it would make the array wide or end in the padding."""
    raw = value.encode("utf-8", "surrogatepass")
    if len(raw) <= LONGEST_TOKEN and b"\0" not in raw and not raw.startswith(HASHED):
        return raw
    return HASHED + hashlib.blake2b(raw, digest_size=24).hexdigest().encode()


def tokens(values: Sequence[str]) -> NDArray[np.bytes_]:
    """`[value]` the token of each. Where all are plain, which one look at all of them tells, they are their own."""
    together = "".join(values)
    plain = together.isascii() and "\0" not in together and chr(HASHED[0]) not in together
    if plain and max(map(len, values), default=0) <= LONGEST_TOKEN:
        return np.array(values, dtype=bytes)
    return np.array([token(value) for value in values], dtype=bytes)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Codes: 0 missing, 1 unknown (out of vocabulary), 2 and up the known strings in the order of their bytes."""

    tokens: NDArray[np.bytes_]

    @classmethod
    def of(cls, values: Iterable[str]) -> "Vocabulary":
        return cls(np.unique(tokens(list(values))))

    @property
    def num_codes(self) -> int:
        return len(self.tokens) + NUM_RESERVED

    def codes(self, values: Sequence[str | None]) -> NDArray[np.int32]:
        """`[value]` int32."""
        out = np.zeros(len(values), dtype=np.int32)
        present = [value for value in values if value]
        if not present:
            return out
        codes, wanted = np.full(len(present), UNKNOWN, dtype=np.int32), tokens(present)
        if len(self.tokens):
            # In the width of the vocabulary, which would be copied into a wider one: what is cut is equal to nothing.
            at = _first_not_below(self.tokens, wanted.astype(self.tokens.dtype))
            at = np.minimum(at, len(self.tokens) - 1)
            codes = np.where(self.tokens[at] == wanted, at + NUM_RESERVED, UNKNOWN).astype(np.int32)
        out[np.array(values, dtype=object).astype(bool)] = codes
        return out


def _first_not_below(ordered: NDArray[np.bytes_], wanted: NDArray[np.bytes_]) -> NDArray[np.int64]:
    """As np.searchsorted, of tokens of one width. Short ones are compared as numbers, in the same order, where so many
    are wanted that it pays to read the ordered ones as numbers first.
    """
    if ordered.itemsize > NUMBER_BYTES or len(wanted) * NUMBER_PAYS < len(ordered):
        return np.searchsorted(ordered, wanted)
    ordered_numbers, wanted_numbers = (
        one.astype(f"S{NUMBER_BYTES}").view(f">u{NUMBER_BYTES}").astype(np.uint64) for one in (ordered, wanted)
    )
    return np.searchsorted(ordered_numbers, wanted_numbers)
