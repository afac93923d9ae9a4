"""Impressions: simulated codes and labels with a signal to learn, for any size of the vocabularies."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.contract.vocabulary import NUM_RESERVED

NUM_FEATURES, NUM_TASKS, NUM_FACTORS = 20, 2, 4
NAMES = tuple(f"f{at:02}" for at in range(NUM_FEATURES))
STRENGTH = 0.35  # of one feature in a logit
BIASES = (-1.0, -2.0)  # of the tasks' logits


@dataclass(frozen=True, slots=True)
class Size:
    """`vocabulary` is that of each feature."""

    vocabulary: int
    num_train: int
    num_test: int
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Impressions:
    """`codes` by feature `[row]`, from `NUM_RESERVED` on as WatchNext codes known values; `labels` `[row, task]`."""

    codes: dict[str, NDArray[np.int32]]
    labels: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)


def simulated(size: Size) -> tuple[Impressions, Impressions]:
    """To train on, and to test on. The chance of a value falls as 1 / its rank (Zipf's law): most of what is shown is
    popular, and most of a vocabulary is rare. A label depends on the effects of single values, and on pairs of features
    through hidden factors.
    """
    random = np.random.default_rng(size.seed)
    num_rows = size.num_train + size.num_test
    logits = np.tile(np.array(BIASES, dtype=np.float32), (num_rows, 1))
    factors = np.zeros((num_rows, NUM_FACTORS), dtype=np.float32)
    codes = {}
    for name in NAMES:
        ranks = ((size.vocabulary + 1) ** random.random(num_rows)).astype(np.int64) - 1
        found = random.permutation(size.vocabulary)[ranks]  # popular values are anywhere in the table
        effects = random.normal(size=(size.vocabulary, NUM_TASKS)).astype(np.float32)
        hidden = random.normal(size=(size.vocabulary, NUM_FACTORS)).astype(np.float32)
        logits += STRENGTH * effects[found]
        factors += hidden[found] / NUM_FEATURES**0.5
        codes[name] = (found + NUM_RESERVED).astype(np.int32)
    logits += (factors[:, ::2] * factors[:, 1::2])[:, :NUM_TASKS]
    labels = (random.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(np.float32)
    rows = (slice(size.num_train), slice(size.num_train, None))
    train, test = (Impressions({name: one[some] for name, one in codes.items()}, labels[some]) for some in rows)
    return train, test
