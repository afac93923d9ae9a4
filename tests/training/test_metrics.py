"""Metrics against their definitions, spelled out."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import metrics

SMALL = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), min_size=1, max_size=30)


@given(SMALL)
def test_auc_is_the_chance_of_a_right_order(rows: list[tuple[int, int]]) -> None:
    scores, labels = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    pairs = [(a > b) + (a == b) / 2 for a, b in product(scores[labels == 1], scores[labels == 0])]
    found = metrics.auc(scores, labels)
    assert math.isnan(found) if not pairs else found == pytest.approx(np.mean(pairs))


def test_grouped_auc_skips_groups_of_one_class_and_weighs_by_rows() -> None:
    scores = np.array([1.0, 2, 3, 1, 2, 5, 6])
    labels = np.array([0.0, 1, 0, 1, 0, 1, 1])
    groups = np.array([4, 4, 4, 9, 9, 2, 2])
    assert metrics.grouped_auc(scores, labels, groups) == pytest.approx((0.5 * 3 + 0 * 2) / 5)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=40))
def test_grouped_auc_against_its_definition(rows: list[tuple[int, int, int]]) -> None:
    groups, scores, labels = (np.array(column) for column in zip(*rows, strict=True))
    scores, labels = scores.astype(float), labels.astype(float)
    each = [(metrics.auc(scores[groups == one], labels[groups == one]), sum(groups == one)) for one in set(groups)]
    known = [(value, size) for value, size in each if not math.isnan(value)]
    found = metrics.grouped_auc(scores, labels, groups.astype(np.int64))
    assert (
        math.isnan(found)
        if not known
        else found == pytest.approx(sum(value * size for value, size in known) / sum(size for _, size in known))
    )


def test_log_loss_and_errors() -> None:
    predictions, labels = np.array([0.9, 0.2]), np.array([1.0, 0.0])
    assert metrics.log_loss(predictions, labels) == pytest.approx(-(math.log(0.9) + math.log(0.8)) / 2)
    assert metrics.root_mean_squared(np.array([3.0, 4.0])) == pytest.approx(math.sqrt(12.5))


def test_calibration_error_is_zero_only_when_predictions_mean_what_they_say() -> None:
    random = np.random.default_rng(0)
    chance = random.random(200_000)
    labels = (random.random(200_000) < chance).astype(float)
    assert metrics.calibration_error(chance, labels) < 0.005
    assert metrics.calibration_error(np.clip(chance + 0.1, 0, 1), labels) == pytest.approx(0.095, abs=0.01)


def test_calibration_error_does_not_depend_on_the_order_of_equal_predictions() -> None:
    assert metrics.calibration_error(np.full(1000, 0.5), np.repeat([0.0, 1.0], 500)) == 0


@given(st.lists(st.integers(0, 5), min_size=2, max_size=20))
def test_spearman_is_one_for_any_rising_function(values: list[int]) -> None:
    left = np.array(values, dtype=float)
    found = metrics.spearman(left, np.exp(left))
    assert math.isnan(found) if len(set(values)) == 1 else found == pytest.approx(1)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=40))
def test_ndcg_against_its_definition(rows: list[tuple[int, int, int]]) -> None:
    groups, scores, gains = (np.array(column) for column in zip(*rows, strict=True))
    scores, gains, k = scores.astype(float), gains.astype(float), 3
    values = []
    for group in set(groups.tolist()):
        mine = groups == group
        order = np.argsort(-scores[mine], kind="stable")[:k]
        best = np.sort(gains[mine])[::-1][:k]
        discount = 1 / np.log2(np.arange(2, len(best) + 2))
        if best.sum() > 0:
            values.append((gains[mine][order] * discount).sum() / (best * discount).sum())
    found = metrics.ndcg(scores, gains, groups.astype(np.int64), k)
    assert math.isnan(found) if not values else found == pytest.approx(np.mean(values))
