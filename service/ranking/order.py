"""Order: the best candidates first, each with all that is told about it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.contract.combination import Scored, top
from model.contract.request import Asked
from service.ranking.policy import ChosenPolicy
from service.ranking.warning import RankWarning


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows are in ranked order: `predictions` `[ranked, task]` in the order of the bundle's tasks, `contributions`
    `[ranked, weight]` in the order of the policy's weights, None unless they were asked for.
    """

    policy: ChosenPolicy
    ids: list[str]
    scores: NDArray[np.float64]
    predictions: NDArray[np.float32]
    contributions: NDArray[np.float64] | None
    warnings: tuple[RankWarning, ...]


def order(
    request: Asked,
    policy: ChosenPolicy,
    predictions: NDArray[np.float32],
    scored: Scored,
    warnings: tuple[RankWarning, ...],
) -> Ranking:
    """The `top_k` best; equal ones keep the order of the request, and those without a finite score come last."""
    ids = request.ids
    best = top(scored.order_by, min(request.top_k or len(ids), len(ids)))
    return Ranking(
        policy,
        [ids[at] for at in best.tolist()],
        scored.score[best],
        predictions[best],
        scored.contributions[best] if request.explain else None,
        warnings,
    )
