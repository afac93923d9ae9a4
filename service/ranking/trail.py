"""Trail: when each stage of one request ended, and what there was to see on the way."""

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from model.contract.combination import Scored
from service.ranking.encode import Encoded
from service.ranking.fetch import Fetched
from service.ranking.policy import ChosenPolicy
from service.ranking.ranker import Ranker
from service.ranking.warning import RankWarning

Given = TypeVar("Given")


class Stage(StrEnum):
    """In their order. A request waits until its body is there and a thread takes it up; a policy is chosen while it
    fetches.
    """

    WAIT = "wait"
    PARSE = "parse"
    FETCH = "fetch"
    ENCODE = "encode"
    PREDICT = "predict"
    ORDER = "order"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a request was ranked from and by, before the best were taken: rows are candidates as they were asked for."""

    ranker: Ranker
    policy: ChosenPolicy
    fetched: Fetched
    encoded: Encoded
    predictions: NDArray[np.float32]
    scored: Scored


@dataclass(slots=True)
class Trail:
    """`ends` are moments of `time.perf_counter`, the first of which is when the trail began. `num_ignored` values in
    the feature store were of no use to this version.
    """

    began: float = field(default_factory=time.perf_counter)
    ends: dict[Stage, float] = field(default_factory=dict)
    warnings: tuple[RankWarning, ...] = ()
    num_ignored: int = 0
    seen: Seen | None = None

    def end(self, stage: Stage) -> None:
        self.ends[stage] = time.perf_counter()

    def after(self, stage: Stage, given: Given) -> Given:
        """Pass on what a stage gave; the stage has ended."""
        self.ends[stage] = time.perf_counter()
        return given

    def saw(self, seen: Seen) -> None:
        """`seen` may be dropped later; what is told of every request is kept."""
        self.seen, self.num_ignored = seen, seen.fetched.num_ignored
        self.warnings = seen.fetched.warnings + seen.encoded.warnings

    def durations(self) -> dict[Stage, float]:
        """In seconds; a stage begins where the one before ended."""
        moments = [self.began, *self.ends.values()]
        return {stage: end - begin for stage, begin, end in zip(self.ends, moments, moments[1:], strict=False)}
