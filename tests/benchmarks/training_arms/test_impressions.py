"""Simulated impressions: what a benchmark of training is run on."""

import numpy as np

from benchmarks.training_arms.impressions import NAMES, NUM_TASKS, Size, simulated
from model.contract.vocabulary import NUM_RESERVED

SIZE = Size(vocabulary=500, num_train=3000, num_test=1000)


def test_a_seed_decides_them_and_train_and_test_are_of_one_world() -> None:
    (train, test), (again, _) = simulated(SIZE), simulated(SIZE)
    assert (len(train), len(test)) == (3000, 1000)
    assert train.labels.shape == (3000, NUM_TASKS)
    for name in NAMES:
        np.testing.assert_array_equal(train.codes[name], again.codes[name])
        codes = np.concatenate([train.codes[name], test.codes[name]])
        assert codes.min() >= NUM_RESERVED and codes.max() < SIZE.vocabulary + NUM_RESERVED


def test_popular_values_are_most_of_what_is_shown() -> None:
    train, _ = simulated(SIZE)
    counts = np.sort(np.bincount(train.codes[NAMES[0]]))[::-1]
    assert counts[:50].sum() > 0.5 * len(train) > counts[0]


def test_labels_follow_the_codes() -> None:
    """The rows of a popular value have another rate than those of others, which chance alone would not give them."""
    train, _ = simulated(SIZE)
    deviations = []
    for name in NAMES:
        mine = train.codes[name] == np.bincount(train.codes[name]).argmax()
        rate = train.labels[:, 0].mean()
        deviations.append((train.labels[mine, 0].mean() - rate) / np.sqrt(rate * (1 - rate) / mine.sum()))
    assert np.square(deviations).mean() > 4
