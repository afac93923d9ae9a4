"""The hash index of an array of tokens: where each of many tokens stands in it, found in bulk."""

from collections.abc import Sequence
from functools import cache, reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int32]
Indexed = tuple[NDArray[np.bytes_], Index]  # tokens and their index
_WORD = np.dtype("<u8")
_FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9  # of splitmix64 (Steele et al., 2014)
_NEXT = np.arange(1, 5)  # slots that are looked at together: most tokens that are not at their hash are near it


def hashes_of(tokens: NDArray[np.bytes_]) -> NDArray[np.uint64]:
    """`[token]`, whatever the width of the array: the words of the padding add nothing."""
    width = -(-max(tokens.dtype.itemsize, 1) // _WORD.itemsize) * _WORD.itemsize
    padded = np.ascontiguousarray(tokens.astype(f"S{width}", copy=False))
    words = padded.view(_WORD).reshape(len(tokens), width // _WORD.itemsize)
    mixed = words * _factors(words.shape[1])
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(_SECOND)
    mixed ^= mixed >> np.uint64(29)
    return reduce(np.add, mixed.T)  # `sum` takes longer along so short an axis


@cache
def _factors(num_words: int) -> NDArray[np.uint64]:
    """Another one for each word."""
    return np.array([_FIRST * (2 * at + 1) % 2**64 for at in range(num_words)], dtype=np.uint64)


def index_of(tokens: NDArray[np.bytes_]) -> Index:
    """`[slot]`: at a token's hash, or in the first free slot after it, where the token stands; -1 in a free slot.

    At most a quarter of the slots is taken, so that few tokens lie far from their hash (linear probing, Knuth, TAOCP 3,
    6.4). As one array it can be mapped.
    """
    index = np.full(1 << (4 * len(tokens)).bit_length(), -1, dtype=np.int32)
    pending = np.arange(len(tokens))
    slots = hashes_of(tokens).view(np.int64) & (len(index) - 1)
    while len(pending):
        taken = index[slots] >= 0
        index[slots[~taken]] = pending[~taken]  # of several that want a slot one gets it
        left = index[slots] != pending
        pending, slots = pending[left], (slots[left] + 1) % len(index)
    return index


def find(searched: Sequence[Indexed], wanted: NDArray[np.bytes_], bounds: Sequence[int]) -> NDArray[np.int64]:
    """Where each wanted token stands among those that it is searched in, the tokens from `bounds[i]` to `bounds[i + 1]`
    in `searched[i]`; -1 where it does not.
    """
    slots = hashes_of(wanted).view(np.int64)  # modulo the size of each index
    places, hit = _look(searched, slots, wanted, bounds)
    found = np.where(hit, places, -1).astype(np.int64)
    left = np.flatnonzero(hit != (places >= 0))
    while len(left):
        near = slots[left, None] + _NEXT
        places, hit = _look(searched, near, wanted[left, None], np.searchsorted(left, bounds).tolist())
        at, which = np.nonzero(hit)
        found[left[at]] = places[at, which]
        left = left[~(hit | (places < 0)).any(axis=1)]
        slots += len(_NEXT)
    return found


def _look(
    searched: Sequence[Indexed], slots: NDArray[np.int64], wanted: NDArray[np.bytes_], bounds: Sequence[int]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """What is in these slots, and whether it is what is wanted."""
    places, hit = np.empty(slots.shape, dtype=np.int32), np.empty(slots.shape, dtype=bool)
    for (tokens, index), (start, end) in zip(searched, pairwise(bounds), strict=True):
        part = places[start:end] = index.take(slots[start:end] & (len(index) - 1))
        hit[start:end] = tokens.take(part, mode="wrap") == wanted[start:end] if len(tokens) else False
    return places, hit & (places >= 0)


def find_one(tokens: NDArray[np.bytes_], index: Index, wanted: bytes) -> int:
    """`find` of a single token, which costs a fraction of what arrays of one cost."""
    if not len(tokens):
        return -1
    slot = _hash_of(wanted) & (len(index) - 1)
    while (place := int(index[slot])) >= 0 and tokens[place] != wanted:
        slot = (slot + 1) & (len(index) - 1)
    return place


def _hash_of(token: bytes) -> int:
    """What `hashes_of` makes of it."""
    total = 0
    for at in range(-(-len(token) // _WORD.itemsize)):
        word = int.from_bytes(token[at * _WORD.itemsize : (at + 1) * _WORD.itemsize], "little")
        mixed = word * _FIRST * (2 * at + 1) % 2**64
        mixed = (mixed ^ mixed >> 32) * _SECOND % 2**64
        total += mixed ^ mixed >> 29
    return total % 2**64
