"""Vocabulary: strings to integer codes, as one sorted array that many processes can map at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.contract.durable import mapped
from model.contract.hash_index import Index, find, find_one, index_of
from model.contract.texts import Texts, token

MISSING, UNKNOWN, NUM_RESERVED = 0, 1, 2
INDEX_SUFFIX = ".index.npy"


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
        texts = Texts.of(values)
        return np.where(texts.lengths > 0, self._find(texts), -1)

    def codes(self, values: Sequence[str | None]) -> NDArray[np.int32]:
        """`[value]` int32."""
        texts = Texts.of(values)
        places = self._find(texts)
        codes = np.where(places < 0, UNKNOWN, places + NUM_RESERVED)
        return np.where(texts.lengths > 0, codes, MISSING).astype(np.int32)

    def _find(self, texts: Texts) -> NDArray[np.int64]:
        if len(texts) == 1:
            return np.array([find_one(self.tokens, self.index, token(texts.utf8))])
        return find(self.tokens, self.index, texts.tokens())

    def save(self, path: Path) -> None:
        """As NAME.npy and NAME.index.npy."""
        np.save(path, self.tokens, allow_pickle=False)
        np.save(path.with_suffix(INDEX_SUFFIX), self.index, allow_pickle=False)

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        return cls(mapped(path), mapped(path.with_suffix(INDEX_SUFFIX)))
