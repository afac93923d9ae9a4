"""Vocabulary: strings to integer codes, as sorted arrays that many processes can map at once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.contract.hash_tables import HashTables
from model.contract.texts import Texts, Tokens, token

MISSING, UNKNOWN, NUM_RESERVED = 0, 1, 2
MOST_AT_ONCE = 4_096


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Codes: 0 missing, 1 unknown (out of vocabulary), 2 and up the known strings in the order of their bytes."""

    tables: HashTables
    table: int = 0

    @classmethod
    def of(cls, values: Iterable[str]) -> "Vocabulary":
        return cls(HashTables.of(np.unique(Texts.of(list(values)).tokens())))

    @property
    def tokens(self) -> Tokens:
        return self.tables.tokens[self.table]

    @property
    def num_codes(self) -> int:
        return len(self.tokens) + NUM_RESERVED

    def places(self, values: Sequence[str | None], absent: int = -1) -> NDArray[np.int64]:
        """`[value]`: where each value's token stands, `absent` where it does not."""
        if len(values) == 1:
            place = self._place(values[0])
            return np.array([absent if place < 0 else place])
        return self.tables.find_texts(Texts.of(values), self.table, absent)

    def codes(self, values: Sequence[str | None]) -> NDArray[np.int32]:
        """`[value]` int32."""
        if len(values) == 1:
            return np.array([self._code(values[0])], dtype=np.int32)
        texts = Texts.of(values)
        return _codes(self.tables.find_texts(texts, self.table), texts)

    # One value alone, as requests have them: it costs a fraction of what arrays of one cost.
    def _place(self, value: str | None) -> int:
        return self.tables.find_one(token(value.encode("utf-8", "surrogatepass")), self.table) if value else -1

    def _code(self, value: str | None) -> int:
        place = self._place(value)
        return place + NUM_RESERVED if place >= 0 else UNKNOWN if value else MISSING


def save(vocabularies: Sequence[Vocabulary], folder: Path, name: str) -> None:
    """Together, as a few files whose names begin with `name`."""
    HashTables.joined([(one.tables, one.table) for one in vocabularies]).save(folder, name)


def load(folder: Path, name: str) -> list[Vocabulary]:
    """In the order in which they were saved."""
    tables = HashTables.load(folder, name)
    return [Vocabulary(tables, at) for at in range(len(tables.tokens))]


def codes_of_each(asked: Sequence[tuple[Vocabulary, Sequence[str | None]]]) -> list[NDArray[np.int32]]:
    """What each vocabulary's `codes` are of its values. Those of which there are few are found by one search for all
    that were loaded together: beginning it anew for every vocabulary would take longer than the search.
    """
    found: dict[int, NDArray[np.int32]] = {}
    together: dict[HashTables, list[int]] = defaultdict(list)
    for at, (vocabulary, values) in enumerate(asked):
        if 1 < len(values) <= MOST_AT_ONCE:
            together[vocabulary.tables].append(at)
        else:
            found[at] = vocabulary.codes(values)
    for tables, few in together.items():
        texts = [Texts.of(asked[at][1]) for at in few]
        sizes, joined = [len(one) for one in texts], Texts.joined(texts)
        places = tables.find_texts(joined, np.repeat([asked[at][0].table for at in few], sizes))
        codes, ends = _codes(places, joined), [*accumulate(sizes)]
        found |= {at: codes[end - size : end] for at, size, end in zip(few, sizes, ends, strict=True)}
    return [found[at] for at in range(len(asked))]


def _codes(places: NDArray[np.int64], texts: Texts) -> NDArray[np.int32]:
    codes = (places + NUM_RESERVED).astype(np.int32)  # of the place -1 it is UNKNOWN
    codes[texts.lengths == 0] = MISSING
    return codes
