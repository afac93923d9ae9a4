"""Trail: what rank() leaves behind: its stages in their order, and all candidates, whatever it gave back."""

import numpy as np

from model.contract.request import RankRequest
from service.ranking.pipeline import rank
from service.ranking.ranker import Ranker
from service.ranking.trail import Stage, Trail


def test_stages_and_all_candidates(ranker: Ranker) -> None:
    trail = Trail()
    request = RankRequest(candidates=["v1", "new", "v3"], top_k=1)
    [best] = rank(request, ranker, trail=trail).predictions
    assert list(trail.ends) == [Stage.FETCH, Stage.ENCODE, Stage.PREDICT, Stage.ORDER]
    assert list(trail.ends.values()) == sorted(trail.ends.values())
    assert trail.seen is not None and trail.seen.predictions.shape == (3, len(ranker.bundle.tasks))
    assert (best == trail.seen.predictions[np.argmax(trail.seen.scored.order_by)]).all()
    assert [one.ids for one in trail.warnings] == [("new",)]


def test_durations_add_up() -> None:
    trail = Trail(began=10.0, ends={Stage.WAIT: 10.5, Stage.PARSE: 10.75, Stage.FETCH: 12.0})
    assert trail.durations() == {Stage.WAIT: 0.5, Stage.PARSE: 0.25, Stage.FETCH: 1.25}
