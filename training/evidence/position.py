"""Position: how much of each prediction the bias tower puts down to where a video was shown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from model.contract.vocabulary import NUM_RESERVED
from model.position_bias import PositionBias
from training.dataset import Dataset, SplitData
from training.evaluation import batch_of, predict
from training.evidence.subject import Absent, Alarm, Subject, take, values_of
from training.splits import TRAIN

Array = NDArray[np.float64]
SAMPLE_ROWS = 4_000
FEWEST_ROWS = 200  # in training, of a position that is shown
MOST_POSITIONS = 40
MOST_LINES = 4
EVERYWHERE = "all"


@dataclass(frozen=True, slots=True)
class Curve:
    """`lines[value of the crossing feature, or EVERYWHERE]` `[position]` is the mean prediction of the same test rows
    at each place; `logged` `[position]` the mean label of what was shown there; `served` the mean prediction without a
    position; `lowest` is 0 where the task has no range of its own.
    """

    lines: Mapping[str, Array]
    logged: Array
    served: float
    lowest: float | None


@dataclass(frozen=True, slots=True)
class PositionEffect:
    """`curves[task]` over the `values` of the impression feature `feature`; `crossed` names what it is crossed with."""

    feature: str
    crossed: str | None
    values: tuple[str, ...]
    curves: Mapping[str, Curve]

    @property
    def alarms(self) -> Iterator[Alarm]:
        return iter(())


def measure(subject: Subject) -> PositionEffect:
    """Of a sample of test rows, each put at every position in turn: what differs is the position and nothing else."""
    tower = subject.ranker.position_bias
    if tower is None:
        raise Absent("the ranker has no `position_bias`")
    hidden = [name for name, only in zip(tower.names, tower.only_in_training, strict=True) if only]
    if not hidden:
        raise Absent("`position_bias` reads no feature of side impression")
    feature, crossed = hidden[0], next(iter(tower.known_names), None)
    codes = _frequent(subject.dataset, feature)
    if len(codes) < 2:
        raise Absent(f"`{feature}` has fewer than two values that training saw {FEWEST_ROWS} times")
    rows = np.sort(np.random.default_rng(0).permutation(subject.test.split.num_rows)[:SAMPLE_ROWS])
    sample = take(subject.test.split, rows)
    predictions = _moved(subject, tower, sample, subject.test.logits[rows], (feature, codes))
    lines = {EVERYWHERE: np.ones(len(rows), dtype=bool)} | _crossings(subject.dataset, crossed, sample)
    return PositionEffect(
        feature,
        crossed if len(lines) > 1 else None,
        tuple(values_of(subject.dataset, feature, codes)),
        {
            task.name: Curve(
                {name: predictions[:, chosen, at].mean(1) for name, chosen in lines.items()},
                _logged(subject.test.split, feature, codes, at),
                float(subject.test.predictions[rows, at].mean()),
                0.0 if task.range is None and task.bounds[0] == 0 else None,
            )
            for at, task in enumerate(subject.tasks)
        },
    )


def _frequent(dataset: Dataset, feature: str) -> NDArray[np.int64]:
    """Codes of known values, in the order of numbers where they are numbers."""
    counts = np.bincount(dataset.splits[TRAIN].arrays[feature])
    codes = np.flatnonzero(counts >= FEWEST_ROWS)
    codes = codes[codes >= NUM_RESERVED]
    names = values_of(dataset, feature, codes)
    if all(name.isdecimal() for name in names):
        codes = codes[np.argsort([int(name) for name in names], kind="stable")]
    return codes[:MOST_POSITIONS]


def _moved(
    subject: Subject, tower: PositionBias, sample: SplitData, logits: Array, places: tuple[str, NDArray[np.int64]]
) -> Array:
    """`[place, row, task]` predictions of rows put at each place."""
    feature, codes = places
    arrays = batch_of(sample, slice(None))
    moved = []
    with torch.no_grad():
        unplaced = tower(arrays, as_logged=False)
        for code in codes:
            placed = tower({**arrays, feature: torch.full_like(arrays[feature], int(code))}, as_logged=True)
            moved.append(predict(subject.ranker.calibration, logits + (placed - unplaced).numpy()))
    return np.stack(moved)


def _crossings(dataset: Dataset, crossed: str | None, sample: SplitData) -> dict[str, NDArray[np.bool_]]:
    """`[row]` of the most frequent values of the feature that position is crossed with."""
    if crossed is None:
        return {}
    counts = np.bincount(sample.arrays[crossed])
    counts[:NUM_RESERVED] = 0
    codes = [code for code in np.argsort(-counts, kind="stable")[:MOST_LINES] if counts[code] >= FEWEST_ROWS]
    names = values_of(dataset, crossed, np.array(codes, dtype=np.int64))
    return {name: sample.arrays[crossed] == code for name, code in zip(names, codes, strict=True)}


def _logged(split: SplitData, feature: str, codes: NDArray[np.int64], at: int) -> Array:
    """`[place]` mean labels; NaN where no test row was."""
    seen = np.asarray(split.observed[:, at])
    place, labels = np.asarray(split.arrays[feature])[seen], split.values[seen, at]
    size = int(max(codes.max(), place.max(initial=0))) + 1
    with np.errstate(invalid="ignore"):
        means = np.bincount(place, weights=labels, minlength=size) / np.bincount(place, minlength=size)
    return means[codes]
