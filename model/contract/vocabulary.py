"""Vocabulary: strings to integer codes, as one sorted array that many processes can map at once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.contract.durable import mapped
from model.contract.hash_index import Index, find, find_one, index_of
from model.contract.texts import Texts, token

MISSING, UNKNOWN, NUM_RESERVED = 0, 1, 2
INDEX_SUFFIX = ".index.npy"
MOST_AT_ONCE = 4_096


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Codes: 0 missing, 1 unknown (out of vocabulary), 2 and up the known strings in the order of their bytes."""

    tokens: NDArray[np.bytes_]
    index: Index

    @classmethod
    def of(cls, values: Iterable[str]) -> "Vocabulary":
        tokens = np.unique(Texts.of(list(values)).tokens())
        return cls(tokens, index_of(tokens))

    @property
    def num_codes(self) -> int:
        return len(self.tokens) + NUM_RESERVED

    def places(self, values: Sequence[str | None]) -> NDArray[np.int64]:
        """`[value]`: where each value's token stands, -1 where it does not."""
        if len(values) == 1:
            return np.array([self._place(values[0])])
        texts = Texts.of(values)
        return np.where(texts.lengths > 0, self._find(texts), -1)

    def codes(self, values: Sequence[str | None]) -> NDArray[np.int32]:
        """`[value]` int32."""
        if len(values) == 1:
            return np.array([self._code(values[0])], dtype=np.int32)
        texts = Texts.of(values)
        return _codes(self._find(texts), texts)

    def _find(self, texts: Texts) -> NDArray[np.int64]:
        return find([(self.tokens, self.index)], texts.tokens(), (0, len(texts)))

    # One value alone, as requests have them: it costs a fraction of what arrays of one cost.
    def _place(self, value: str | None) -> int:
        return find_one(self.tokens, self.index, token(value.encode("utf-8", "surrogatepass"))) if value else -1

    def _code(self, value: str | None) -> int:
        place = self._place(value)
        return place + NUM_RESERVED if place >= 0 else UNKNOWN if value else MISSING

    def save(self, path: Path) -> None:
        """As NAME.npy and NAME.index.npy."""
        np.save(path, self.tokens, allow_pickle=False)
        np.save(path.with_suffix(INDEX_SUFFIX), self.index, allow_pickle=False)

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        return cls(mapped(path), mapped(path.with_suffix(INDEX_SUFFIX)))


def codes_of_each(asked: Sequence[tuple[Vocabulary, Sequence[str | None]]]) -> list[NDArray[np.int32]]:
    """What each vocabulary's `codes` are of its values. Those of which there are few are found by one search for all:
    beginning it anew for every vocabulary would take longer than the search.
    """
    few = [at for at, (_, values) in enumerate(asked) if 1 < len(values) <= MOST_AT_ONCE]
    found = dict(zip(few, _codes_of_few([asked[at] for at in few]), strict=True))
    return [found[at] if at in found else vocabulary.codes(values) for at, (vocabulary, values) in enumerate(asked)]


def _codes_of_few(asked: Sequence[tuple[Vocabulary, Sequence[str | None]]]) -> Iterator[NDArray[np.int32]]:
    if not asked:
        return
    texts = [Texts.of(values) for _, values in asked]
    bounds, joined = np.cumsum([0, *map(len, texts)]).tolist(), Texts.joined(texts)
    codes = _codes(find([(one.tokens, one.index) for one, _ in asked], joined.tokens(), bounds), joined)
    for start, end in pairwise(bounds):
        yield codes[start:end]


def _codes(places: NDArray[np.int64], texts: Texts) -> NDArray[np.int32]:
    codes = np.where(places < 0, UNKNOWN, places + NUM_RESERVED)
    return np.where(texts.lengths > 0, codes, MISSING).astype(np.int32)
