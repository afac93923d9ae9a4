"""Shadow: compares, counts what it drops, and never raises or waits."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from model.contract.request import Asked, RankRequest
from service.ranking.order import Ranking
from service.ranking.pipeline import rank
from service.ranking.ranker import Ranker
from service.registry.shadow import QUEUE_SIZE, Answered, Shadow, compare
from tests.service.small_bundle import TASKS

REQUEST = RankRequest(candidates=[f"v{at}" for at in range(30)], top_k=20)


def answered(ranker: Ranker, shadow: Ranker | None = None) -> Answered:
    return Answered(REQUEST, rank(REQUEST, ranker), ranker, shadow or ranker)


def changed(request: Asked, ranker: Ranker) -> Ranking:
    """As another version would rank: the other way round, and each prediction larger by its task's number."""
    ranking = rank(request, ranker)
    steps = np.arange(len(TASKS), dtype=np.float32)
    return replace(ranking, ids=ranking.ids[::-1], predictions=(ranking.predictions + steps)[::-1])


def test_equal_versions_agree(ranker: Ranker) -> None:
    overlap, difference = compare(answered(ranker), rank(REQUEST.model_copy(update={"top_k": None}), ranker))
    assert overlap == 1 and difference == {task.name: 0 for task in TASKS}


def test_differences_are_by_task_and_over_what_was_answered(ranker: Ranker) -> None:
    shadow = Shadow(changed)
    shadow.take(answered(ranker))
    shadow.take(answered(ranker))
    found = shadow.disagreement
    assert found is not None and (found.version, found.num_compared, found.num_failed) == ("v-one", 2, 0)
    assert found.overlap == 0  # of 30 candidates turned round, none of the first ten is one of the last
    assert list(found.difference) == [task.name for task in TASKS]
    assert list(found.difference.values()) == pytest.approx([0, 2, 4, 6], abs=1e-4)
    assert "2 requests, top-10 overlap 0.000, mean difference: click 0, watch_time 1" in str(found)


def test_another_shadow_begins_anew(ranker: Ranker) -> None:
    shadow = Shadow(rank)
    shadow.take(answered(ranker))
    manifest = ranker.bundle.manifest.model_copy(update={"version": "v-two"})
    shadow.take(answered(ranker, replace(ranker, bundle=replace(ranker.bundle, manifest=manifest))))
    assert shadow.disagreement is not None
    assert (shadow.disagreement.version, shadow.disagreement.num_compared) == ("v-two", 1)


def test_what_it_cannot_rank_is_counted(ranker: Ranker) -> None:
    def fail(request: Asked, ranker: Ranker) -> Ranking:
        raise ZeroDivisionError

    shadow = Shadow(fail)
    shadow.take(answered(ranker))
    assert shadow.disagreement is not None and shadow.disagreement.num_failed == 1


def test_one_that_hangs_delays_nobody(ranker: Ranker) -> None:
    """Beyond the queue all is dropped and counted."""
    going_on, taken = threading.Event(), threading.Event()

    def hang(request: Asked, ranker: Ranker) -> Ranking:
        taken.set()
        going_on.wait(30)
        return rank(request, ranker)

    shadow, one = Shadow(hang), answered(ranker)
    shadow.start()
    shadow.offer(one)
    assert taken.wait(30)
    for _ in range(QUEUE_SIZE + 5):
        shadow.offer(one)
    assert shadow.num_dropped == 5
    going_on.set()
    shadow.stop()
