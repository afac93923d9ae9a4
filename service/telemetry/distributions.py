"""Distributions: durations, candidates, predictions, scores and features of what was ranked, tallied by version."""

from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.contract.drift import Intervals, Reference, is_watched, quantities
from model.contract.features.interface import ArraySpec, Side
from service.ranking.ranker import Ranker
from service.ranking.trail import Seen, Stage
from service.telemetry.tally import Counts, Key, Layout, Tally, read
from service.telemetry.trace import Trace

SECONDS = Intervals(
    edges=(0.0005, 0.001, 0.002, 0.003, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0)
)
NUMBERS = Intervals(edges=(1, 10, 50, 100, 200, 500, 1000, 2000, 5000))
MOST_VERSIONS = 4  # that a worker ranks with at a time: live, previous, canary, shadow
CANDIDATES_OF = 8  # requests; of one of them the candidates' features are gathered


class Family(StrEnum):
    RANK = "rank"
    STAGE = "stage"
    CANDIDATES = "candidates"
    PREDICTION = "prediction"
    SCORE = "score"
    FEATURE = "feature"


WHOLE, NUM_CANDIDATES = (Family.RANK, "whole"), (Family.CANDIDATES, "number")
SERVICE = Layout(
    families={
        Family.RANK: {"whole": SECONDS},
        Family.STAGE: dict.fromkeys(map(str, Stage), SECONDS),
        Family.CANDIDATES: {"number": NUMBERS},
    }
)


def layout_of(reference: Reference) -> Layout:
    return Layout(
        families={
            Family.PREDICTION: dict(reference.predictions),
            Family.SCORE: dict(reference.scores),
            Family.FEATURE: dict(reference.features),
        }
    )


class Distributions:
    def __init__(self, folder: Path) -> None:
        self._service, self._versions = folder / "service", folder / "versions"
        self._tally = Tally(self._service, SERVICE)
        self._by_version: OrderedDict[str, Tally] = OrderedDict()
        self._num_seen = 0

    def take(self, traces: Sequence[Trace]) -> None:
        ranked = [one for one in traces if Stage.ORDER in one.trail.ends]
        self._take_durations(ranked)
        by_ranker: dict[str, list[Seen]] = defaultdict(list)
        for one in ranked:
            if one.trail.seen is not None:
                by_ranker[one.trail.seen.ranker.bundle.manifest.version].append(one.trail.seen)
        for version, seen in by_ranker.items():
            self._take_seen(self._tally_of(version, seen[0].ranker), seen)

    def read(self) -> dict[Key, Counts]:
        """What is told of requests, whatever version ranked them."""
        return dict(read(self._service))

    def read_versions(self) -> dict[str, dict[Key, Counts]]:
        """By version."""
        return {folder.name: dict(read(folder)) for folder in sorted(self._versions.glob("*"))}

    def _take_durations(self, ranked: Sequence[Trace]) -> None:
        if not ranked:
            return
        durations = [one.trail.durations() for one in ranked]
        for stage in Stage:
            self._tally.add((Family.STAGE, stage), np.array([one[stage] for one in durations if stage in one]))
        self._tally.add(WHOLE, np.array([one.seconds for one in ranked]))
        self._tally.add(NUM_CANDIDATES, np.array([one.num_candidates or 0 for one in ranked], dtype=np.float64))
        self._tally.end_of(len(ranked))

    def _tally_of(self, version: str, ranker: Ranker) -> Tally:
        if version not in self._by_version:
            self._by_version[version] = Tally(self._versions / version, layout_of(ranker.bundle.reference))
        self._by_version.move_to_end(version)
        while len(self._by_version) > MOST_VERSIONS:
            _, oldest = self._by_version.popitem(last=False)
            oldest.close()
        return self._by_version[version]

    def _take_seen(self, tally: Tally, seen: Sequence[Seen]) -> None:
        bundle = seen[0].ranker.bundle
        predictions = np.concatenate([one.predictions for one in seen])
        for task, column in zip(bundle.tasks, predictions.T, strict=True):
            tally.add((Family.PREDICTION, task.name), column)
        for policy in {one.policy.name for one in seen} - {None}:
            scores = [one.scored.score for one in seen if one.policy.name == policy]
            tally.add((Family.SCORE, str(policy)), np.concatenate(scores))
        looked_at = [one for at, one in enumerate(seen, self._num_seen) if not at % CANDIDATES_OF]
        self._num_seen += len(seen)
        for spec in bundle.schema.specs.values():
            if is_watched(spec, bundle.schema):
                for name, values in quantities(spec, _values(spec, seen, looked_at)):
                    tally.add((Family.FEATURE, name), values)
        tally.end_of(len(seen))


def _values(spec: ArraySpec, seen: Sequence[Seen], looked_at: Sequence[Seen]) -> NDArray[Any]:
    """`[row, ...]`: of each request, or of the candidates of those `looked_at`."""
    if spec.side is not Side.CANDIDATE:
        return np.concatenate([one.encoded.request[spec.name] for one in seen])
    return np.concatenate([*(_of_candidates(spec.name, one) for one in looked_at), *_nothing(spec)])


def _of_candidates(name: str, seen: Seen) -> NDArray[Any]:
    """As the network saw them: what is stored, under what came along."""
    values = np.array(seen.ranker.bundle.videos.arrays[name][seen.fetched.rows])
    if len(seen.encoded.fresh.at):
        values[seen.encoded.fresh.at] = seen.encoded.fresh.arrays[name]
    return values


def _nothing(spec: ArraySpec) -> Iterator[NDArray[Any]]:
    yield np.empty((0, *spec.shape), dtype=np.int32 if spec.table else np.float32)
