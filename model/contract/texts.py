"""Texts: many strings as one run of bytes, as Arrow keeps them, and the tokens that stand for them in bulk."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

LONGEST_TOKEN = 64
HASHED = b"\x01"
WORD = np.dtype("<u8")
Tokens = NDArray[np.bytes_]
Words = NDArray[np.uint64]
_OFFSETS = np.arange(0, LONGEST_TOKEN, WORD.itemsize)
_MASKS = np.array(  # `[length, word]`: all ones where a token of this length has a byte
    [[(1 << 8 * min(max(length - at, 0), 8)) - 1 for at in _OFFSETS.tolist()] for length in range(LONGEST_TOKEN + 1)],
    dtype=WORD,
)


def token(raw: bytes) -> bytes:
    """The bytes that stand for a string's: themselves, or a hash where they would make the array wide or end in the
    padding.
    """
    if len(raw) <= LONGEST_TOKEN and b"\0" not in raw and not raw.startswith(HASHED):
        return raw
    return HASHED + hashlib.blake2b(raw, digest_size=24).hexdigest().encode()


def texts_at(values: Sequence[str | None], places: NDArray[np.integer[Any]]) -> list[str | None]:
    """Those at several places, of Texts or of any sequence."""
    return [*values.at(places)] if isinstance(values, Texts) else [values[at] for at in places.tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class Texts(Sequence[str]):
    """String `i` is the next `lengths[i]` bytes of `utf8`; an empty one stands for a missing value."""

    utf8: bytes
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, values: Sequence[str | None]) -> "Texts":
        if isinstance(values, cls):
            return values
        present = [value or "" for value in values]
        joined = "".join(present)
        if joined.isascii():
            return cls(joined.encode(), np.fromiter(map(len, present), np.int64, len(present)))
        encoded = [value.encode("utf-8", "surrogatepass") for value in present]
        return cls(b"".join(encoded), np.fromiter(map(len, encoded), np.int64, len(encoded)))

    @classmethod
    def joined(cls, several: Sequence["Texts"]) -> "Texts":
        return cls(b"".join(one.utf8 for one in several), np.concatenate([one.lengths for one in several]))

    def __len__(self) -> int:
        return len(self.lengths)

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return list(self)[at]
        at = range(len(self))[at]
        end = int(self.lengths[: at + 1].sum())
        return self.utf8[end - int(self.lengths[at]) : end].decode("utf-8", "surrogatepass")

    def at(self, places: NDArray[np.integer[Any]]) -> list[str]:
        """Those at several places: for one alone all before it are counted too."""
        ends, lengths = self.ends[places].tolist(), self.lengths[places].tolist()
        return [
            self.utf8[end - size : end].decode("utf-8", "surrogatepass")
            for end, size in zip(ends, lengths, strict=True)
        ]

    def __iter__(self) -> Iterator[str]:
        ends = self.ends.tolist()
        for start, end in zip([0, *ends], ends, strict=False):
            yield self.utf8[start:end].decode("utf-8", "surrogatepass")

    @property
    def ends(self) -> NDArray[np.int64]:
        return np.cumsum(self.lengths)

    def tokens(self) -> Tokens:
        """`[text]`, as wide as needed and a whole number of words."""
        words = self.words()
        return words.view(f"S{words.shape[1] * WORD.itemsize}")[:, 0]

    def words(self) -> Words:
        """Their tokens, `[text, word]`, padded with zeros."""
        odd = self._odd()
        if not len(odd):
            return _packed(self.utf8, self.lengths, int(self.lengths.max(initial=1)))
        plain = np.ones(len(self), dtype=bool)
        plain[odd] = False
        utf8 = np.frombuffer(self.utf8, np.uint8)[np.repeat(plain, self.lengths)].tobytes()
        packed = _packed(utf8, np.where(plain, self.lengths, 0), LONGEST_TOKEN)
        ends = self.ends[odd].tolist()
        packed.view(f"S{LONGEST_TOKEN}")[odd, 0] = [
            token(self.utf8[end - length : end]) for end, length in zip(ends, self.lengths[odd].tolist(), strict=True)
        ]
        return packed

    def _odd(self) -> NDArray[np.int64]:
        """Those whose token is not themselves, and usually there are none."""
        odd = np.flatnonzero(self.lengths > LONGEST_TOKEN)
        if b"\0" in self.utf8 or HASHED in self.utf8:
            wrong = np.flatnonzero(np.isin(np.frombuffer(self.utf8, np.uint8), (0, HASHED[0])))
            odd = np.union1d(odd, np.searchsorted(self.ends, wrong, side="right"))
        return odd


def _packed(utf8: bytes, lengths: NDArray[np.int64], longest: int) -> Words:
    """A word at a time: what is behind the end of a text is read with it, and masked."""
    num_words = -(-longest // WORD.itemsize)
    behind = num_words * WORD.itemsize
    word_at = np.ndarray(len(utf8) + behind - WORD.itemsize + 1, WORD, utf8 + bytes(behind), strides=1)
    starts = np.cumsum(lengths) - lengths
    packed = word_at[(starts[:, None] + _OFFSETS[:num_words]).ravel()].reshape(-1, num_words)  # in 2-D it takes longer
    packed &= _MASKS[:, :num_words].take(lengths, axis=0)
    return packed
