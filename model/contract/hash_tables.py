"""Hash tables of tokens: where each of many tokens stands in its table, found in bulk."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.contract import kernels
from model.contract.durable import mapped
from model.contract.texts import LONGEST_TOKEN, WORD, Texts, Tokens, Words

_FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9  # of splitmix64 (Steele et al., 2014)
# Powers, another one for each word: few small changes of one word are not undone by such of another.
_FACTORS_OF_ONE = [pow(_FIRST, 1 + at, 2**64) for at in range(LONGEST_TOKEN // WORD.itemsize)]
_FACTORS = np.array(_FACTORS_OF_ONE, dtype=WORD)
_NEXT = np.arange(1, 5)  # slots that are looked at together: most tokens that are not at their hash are near it
_ODD = -2  # what the kernel says of a text that is not its own token
WORDS_SUFFIX, INDEX_SUFFIX, SHAPES_SUFFIX = ".words.npy", ".index.npy", ".shapes.npy"


class HashTables:
    """Several arrays of tokens, each with its index, end to end: three arrays that can be mapped, in which tokens of
    many tables are looked for at once.

    `words` are the tokens' bytes; `index` `[slot]`, at a token's hash, or in the first free slot after it, where the
    token stands in its table; -1 in a free slot. At most a quarter of the slots of a table is taken, so that few tokens
    lie far from their hash (linear probing, Knuth, TAOCP 3, 6.4). `shapes` `[table, 2]`: tokens, and words of each.
    """

    def __init__(self, words: Words, index: NDArray[np.int32], shapes: NDArray[np.int64]) -> None:
        self._words, self.index, self._shapes = words, index, shapes
        sizes = [(count, width, _num_slots(count)) for count, width in shapes.tolist()]
        first_words = [0, *accumulate(count * width for count, width, _ in sizes)]
        first_slots = [0, *accumulate(slots for _, _, slots in sizes)]
        places = [
            (first_word, width, first_slot, slots - 1)
            for (_, width, slots), first_word, first_slot in zip(sizes, first_words, first_slots, strict=False)
        ]
        self._places = np.array(places, dtype=np.int64).reshape(len(sizes), 4)
        self._spans = self._places.T
        self.tokens: Sequence[Tokens] = [
            words[first : first + count * width].view(f"S{width * WORD.itemsize}")
            for (count, width, _), first in zip(sizes, first_words, strict=False)
        ]
        self._indexes = [index[first : first + slots] for (_, _, slots), first in zip(sizes, first_slots, strict=False)]

    @classmethod
    def of(cls, tokens: Tokens) -> "HashTables":
        """A single table of tokens that differ."""
        words = words_of(tokens)
        return cls(words.reshape(-1), _index_of(words), np.array([words.shape], dtype=np.int64))

    @classmethod
    def joined(cls, several: Sequence[tuple["HashTables", int]]) -> "HashTables":
        """A table of each."""
        words = [np.zeros(0, dtype=WORD), *(one.tokens[at].view(WORD) for one, at in several)]
        index = [np.zeros(0, dtype=np.int32), *(one._indexes[at] for one, at in several)]
        shapes = np.array([one._shapes[at] for one, at in several], dtype=np.int64).reshape(len(several), 2)
        return cls(np.concatenate(words), np.concatenate(index), shapes)

    def find_texts(self, texts: Texts, table: NDArray[np.intp] | int, absent: int = -1) -> NDArray[np.int64]:
        """`find` of the tokens of texts: `absent` stands for one that is empty or not there."""
        if kernels.COMPILED is None:
            found = self.find(texts.words(), table)
            return np.where((found < 0) | (texts.lengths == 0), absent, found)
        found, of_table = np.empty(len(texts), dtype=np.int64), np.array(table, dtype=np.int64, ndmin=1)
        tables = (self._places, self._words, self.index)
        if kernels.COMPILED.find(texts.utf8, texts.lengths, of_table, *tables, _FACTORS, _SECOND, absent, found):
            odd = np.flatnonzero(found == _ODD)
            of_odd = self.find(Texts.of(texts.at(odd)).words(), table if isinstance(table, int) else table[odd])
            found[odd] = np.where(of_odd < 0, absent, of_odd)
        return found

    def find(self, wanted: Words, table: NDArray[np.intp] | int) -> NDArray[np.int64]:
        """Where each wanted token stands in the table, or in its own of several, `[token]`; -1 where it does not."""
        spans = self._spans.take(table, axis=1)
        words = _padded(wanted, int(spans[1].max(initial=0)))
        slots = _hashes_of(words).view(np.int64)  # modulo the slots of each table
        places, hit = self._look(slots, words.T, spans)
        found = np.where(hit, places, -1).astype(np.int64)
        left = np.flatnonzero(hit != (places >= 0))
        near = slots[left, None] + _NEXT
        while len(left):
            of_left = spans[:, left, None] if spans.ndim > 1 else spans
            places, hit = self._look(near, words[left].T[:, :, None], of_left)
            at, which = np.nonzero(hit)
            found[left[at]] = places[at, which]
            goes_on = ~(hit | (places < 0)).any(axis=1)
            left, near = left[goes_on], near[goes_on] + len(_NEXT)
        return found

    def _look(
        self, slots: NDArray[np.int64], words: Words, spans: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """What is in these slots, and whether it is what is wanted, `words` `[word, ...]`."""
        first_word, width, first_slot, last_slot = spans
        places = self.index.take((slots & last_slot) + first_slot)
        hit, at, narrowest = places >= 0, places * width + first_word, width.min(initial=len(words))
        for number, wanted in enumerate(words):
            found = self._words.take(at + number, mode="clip") if len(self._words) else np.zeros_like(wanted)
            hit &= (found if number < narrowest else np.where(number < width, found, 0)) == wanted
        return places, hit

    def find_one(self, wanted: bytes, table: int) -> int:
        """`find` of a single token, which costs a fraction of what arrays of one cost."""
        tokens, index = self.tokens[table], self._indexes[table]
        if not len(tokens):
            return -1
        slot = _hash_of(wanted) & (len(index) - 1)
        while (place := int(index[slot])) >= 0 and tokens[place] != wanted:
            slot = (slot + 1) & (len(index) - 1)
        return place

    def save(self, folder: Path, name: str) -> None:
        arrays: tuple[NDArray[Any], ...] = (self._words, self.index, self._shapes)
        for path, array in zip(_files(folder, name), arrays, strict=True):
            np.save(path, array, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path, name: str) -> "HashTables":
        return cls(*map(mapped, _files(folder, name)))


def _files(folder: Path, name: str) -> Iterator[Path]:
    return (folder / f"{name}{suffix}" for suffix in (WORDS_SUFFIX, INDEX_SUFFIX, SHAPES_SUFFIX))


def _num_slots(num_tokens: int) -> int:
    return 1 << (4 * num_tokens).bit_length()


def _index_of(words: Words) -> NDArray[np.int32]:
    """Of the tokens of one table."""
    index = np.full(_num_slots(len(words)), -1, dtype=np.int32)
    pending = np.arange(len(words))
    slots = _hashes_of(words).view(np.int64) & (len(index) - 1)
    while len(pending):
        taken = index[slots] >= 0
        index[slots[~taken]] = pending[~taken]  # of several that want a slot one gets it
        left = index[slots] != pending
        pending, slots = pending[left], (slots[left] + 1) % len(index)
    return index


def words_of(tokens: Tokens) -> Words:
    """`[token, word]`, the last one padded with zeros."""
    width = -(-max(tokens.dtype.itemsize, 1) // WORD.itemsize)
    whole = np.ascontiguousarray(tokens.astype(f"S{width * WORD.itemsize}", copy=False))
    return whole.view(WORD).reshape(len(tokens), width)


def _padded(words: Words, width: int) -> Words:
    missing = width - words.shape[1]
    return words if missing <= 0 else np.pad(words, ((0, 0), (0, missing)))


def _hashes_of(words: Words) -> Words:
    """`[token]`, whatever the number of words: those of the padding add nothing."""
    mixed = words @ _FACTORS[: words.shape[1]]
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(_SECOND)
    mixed ^= mixed >> np.uint64(29)
    return mixed


def _hash_of(token: bytes) -> int:
    """What `_hashes_of` makes of it."""
    total = 0
    for at, factor in zip(range(0, len(token), WORD.itemsize), _FACTORS_OF_ONE, strict=False):
        total += int.from_bytes(token[at : at + WORD.itemsize], "little") * factor
    mixed = total % 2**64
    mixed = (mixed ^ mixed >> 32) * _SECOND % 2**64
    return mixed ^ mixed >> 29
