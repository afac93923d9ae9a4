"""The hash index of a sorted array of tokens: where each of many tokens stands in it, found in bulk."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.uint64]
_WORD = np.dtype("<u8")
_FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9  # of splitmix64 (Steele et al., 2014)


def hashes_of(tokens: NDArray[np.bytes_]) -> Index:
    """`[token]`, whatever the width of the array: the words of the padding add nothing."""
    width = -(-max(tokens.dtype.itemsize, 1) // _WORD.itemsize) * _WORD.itemsize
    padded = np.ascontiguousarray(tokens.astype(f"S{width}", copy=False))
    words = padded.view(_WORD).reshape(len(tokens), width // _WORD.itemsize)
    hashes = np.zeros(len(tokens), dtype=np.uint64)
    for at, word in enumerate(words.T):
        mixed = word * np.uint64(_FIRST * (2 * at + 1) % 2**64)  # another factor for each word
        mixed ^= mixed >> np.uint64(32)
        mixed *= np.uint64(_SECOND)
        mixed ^= mixed >> np.uint64(29)
        hashes += mixed
    return hashes


def index_of(tokens: NDArray[np.bytes_]) -> Index:
    """`[2, token]`: the hashes in rising order, and where the token of each stands. As one array it can be mapped."""
    hashes = hashes_of(tokens)
    order = np.argsort(hashes, kind="stable")
    return np.stack([hashes[order], order.astype(np.uint64)])


def find(tokens: NDArray[np.bytes_], index: Index, wanted: NDArray[np.bytes_]) -> NDArray[np.int64]:
    """Where each wanted token stands in `tokens`, which are sorted; -1 where it does not."""
    if not len(tokens):
        return np.full(len(wanted), -1, dtype=np.int64)
    hashes, places = index
    sought = hashes_of(wanted)
    at = np.minimum(np.searchsorted(hashes, sought), len(hashes) - 1)
    place = places[at].astype(np.int64)
    found = np.where(tokens[place] == wanted, place, -1)
    # Two tokens of one hash are as good as never met, and must be told apart all the same.
    shadowed = np.flatnonzero((found < 0) & (hashes[at] == sought))
    if len(shadowed):
        found[shadowed] = _bisect(tokens, wanted[shadowed])
    return found


def _bisect(tokens: NDArray[np.bytes_], wanted: NDArray[Any]) -> NDArray[np.int64]:
    place = np.minimum(np.searchsorted(tokens, wanted), len(tokens) - 1)
    return np.where(tokens[place] == wanted, place, -1)
