"""Sides: what a column of the impressions belongs to, from how its values agree within users, videos and requests."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from training.drafting.keys import FoundKeys
from training.moments import INSTANTS, Moment

BELONGS = 0.9  # of the agreement that a true attribute would have; logs drift, and joins fail
SAMPLED = 100_000
SEED = 0


@dataclass(frozen=True, slots=True)
class Groups:
    """The impressions, and what groups them."""

    frame: pl.DataFrame
    user: str
    video: str
    request: list[str]

    @classmethod
    def of(cls, frame: pl.DataFrame, keys: FoundKeys, moments: Sequence[Moment]) -> "Groups":
        """Without request ids, what one user was shown at one moment is a request; on one day is not."""
        instant = next((one.column for one in moments if one.form in INSTANTS), None)
        request = [keys.request] if keys.request else [keys.user, instant] if instant else []
        return cls(frame.head(SAMPLED), keys.user, keys.video, request)


def side_of(groups: Groups, column: str) -> tuple[str, str]:
    """The side, and why."""
    by_video = agreement(groups.frame, column, [groups.video])
    by_user = agreement(groups.frame, column, [groups.user])
    if by_video >= max(BELONGS, by_user):
        return "candidate", "one value for each video"
    if by_user >= BELONGS:
        return "user", "one value for each user"
    by_request = agreement(groups.frame, column, groups.request) if groups.request else math.nan
    if by_request >= BELONGS:
        return "context", "one value for each request"
    if not math.isnan(by_request):
        return "candidate", "varies within a request, and for one video: its latest value is what serving will know"
    return "context", "varies for one user and for one video"


def agreement(frame: pl.DataFrame, column: str, keys: list[str]) -> float:
    """How often two rows with equal `keys` have equal values, above chance: 1 always, 0 as rarely as any two rows
    (Cohen's kappa); NaN when no two rows have equal keys.
    """
    rows = frame.select(*keys, value=pl.col(column).hash()).sample(fraction=1.0, shuffle=True, seed=SEED)
    rows = rows.sort(keys, maintain_order=True)
    neighbours = rows.select(
        same=pl.all_horizontal(pl.col(one).eq_missing(pl.col(one).shift()) for one in keys),
        equal=pl.col("value") == pl.col("value").shift(),
    ).slice(1)
    within = neighbours.filter("same")["equal"]
    if not len(within):
        return math.nan
    counts = rows["value"].value_counts()["count"]
    chance = float((counts / rows.height).pow(2).sum())
    agreed = float(within.mean())  # type: ignore[arg-type]
    return (agreed - chance) / (1 - chance) if chance < 1 else 1.0
