"""Recorder: everything counts, a bounded part is looked at, and a failing taker harms nobody."""

from collections.abc import Sequence

import pytest

from model.contract.request import RankRequest
from service.ranking.pipeline import rank
from service.ranking.ranker import Ranker
from service.ranking.trail import Trail
from service.telemetry.recorder import MOST_SEEN, Recorder
from service.telemetry.trace import Trace


def test_a_bounded_number_is_looked_at_and_all_are_counted(ranker: Ranker) -> None:
    taken: list[Trace] = []
    looked_at: list[Trace] = []
    recorder = Recorder([taken.extend, lambda traces: looked_at.extend(one for one in traces if one.trail.seen)])
    trail = Trail()
    rank(RankRequest(candidates=["v1"]), ranker, trail=trail)
    for _ in range(MOST_SEEN + 3):
        recorder.note(Trace(trail=Trail(seen=trail.seen)))
    recorder.flush()
    assert len(taken) == MOST_SEEN + 3
    assert len(looked_at) == MOST_SEEN
    assert not any(one.trail.seen for one in taken)  # whoever still has a trace holds no ranker by it
    recorder.flush()
    assert len(taken) == MOST_SEEN + 3


def test_one_that_fails_leaves_the_others_alone(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Sequence[Trace]) -> None:
        raise RuntimeError("broken")

    taken: list[Trace] = []
    recorder = Recorder([fail, taken.extend])
    recorder.start()
    recorder.note(Trace())
    recorder.stop()
    assert len(taken) == 1 and "telemetry failed" in caplog.text
