"""Results: what the arms are worth, task by task, beside the single-task twins."""

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from training.comparison.arms import SINGLE
from training.comparison.fits import Fit, Measured
from training.comparison.gains import Measurements, gain
from training.comparison.measures import Figure, Measure
from training.evidence.draws import Interval
from training.splits import TEST, VALID


@dataclass(frozen=True, slots=True)
class Cost:
    """`multiplications` are those of one candidate, `seconds` those of a training; of SINGLE, of all twins together."""

    parameters: int
    multiplications: int
    seconds: float | None


class Results:
    """`fits` have the seeds in their order, for each arm."""

    def __init__(self, measures: Sequence[Measure], seeds: Sequence[int], fits: Sequence[tuple[Fit, Measured]]) -> None:
        self.measures, self.seeds = measures, seeds
        by_arm: dict[str, list[Measured]] = defaultdict(list)
        figures: dict[tuple[str, str, str], list[Figure]] = defaultdict(list)
        for fit, measured in fits:
            by_arm[fit.arm.name].append(measured)
            for split, by_measure in measured.figures.items():
                for name, figure in by_measure.items():
                    figures[split, fit.arm.name, name].append(figure)
        self.arms = list(by_arm)
        self.costs = {arm: _cost(some, len(seeds)) for arm, some in by_arm.items()}
        self.measurements = {key: Measurements.of(some) for key, some in figures.items()}
        tasks = self.tasks_of(SINGLE)
        # Where tasks have embeddings of their own, nothing is shared.
        sharing = {fit.arm.name for fit, _ in fits if len(fit.arm.tasks) > 1 and fit.config.sharing.shares_inputs}
        self.together = [arm for arm in self.arms if arm in sharing and self.tasks_of(arm) == tasks]

    def tasks_of(self, arm: str) -> list[str]:
        has = (one.task for one in self.measures if (TEST, arm, one.name) in self.measurements)
        return list(dict.fromkeys(has))

    def mean(self, split: str, arm: str, measure: Measure) -> float:
        return float(self.measurements[split, arm, measure.name].values.mean())

    def gain(self, split: str, arm: str, measure: Measure) -> Interval:
        multi, single = (self.measurements[split, one, measure.name] for one in (arm, SINGLE))
        return gain(multi, single, measure.direction)

    def utility(self, arm: str, tasks: Collection[str]) -> float:
        """What these of the arm's tasks contribute to the declared utility, on validation."""
        of_them = [measure for measure in self.measures if measure.task in tasks]
        return sum(one.weight * one.direction * self.mean(VALID, arm, one) for one in of_them)

    def main(self, task: str) -> Measure:
        """The measure of a task that the verdict goes by: the first that the utility names."""
        return next(measure for measure in self.measures if measure.task == task)


def _cost(fits: Sequence[Measured], num_seeds: int) -> Cost:
    seconds = [one.seconds for one in fits if one.seconds is not None]
    return Cost(
        sum(one.parameters for one in fits) // num_seeds,
        sum(one.multiplications for one in fits) // num_seeds,
        sum(seconds) / num_seeds if len(seconds) == len(fits) else None,
    )


def as_json(results: Results, verdict: Sequence[str], run: str) -> str:
    """The figures of a row are those of test, with those of validation beside them as `valid`; `run` is the identity of
    the run.
    """

    def figures(split: str, arm: str, measure: Measure) -> dict[str, float | None]:
        interval = results.gain(split, arm, measure)
        found = {"mean": results.mean(split, arm, measure), "gain": interval.value}
        found |= {"low": interval.low, "high": interval.high}
        return {name: value if value == value else None for name, value in found.items()}  # JSON has no NaN

    rows: list[dict[str, Any]] = [
        {"arm": arm, "task": measure.task, "metric": measure.metric}
        | figures(TEST, arm, measure)
        | {"valid": figures(VALID, arm, measure)}
        for arm in results.arms
        for measure in results.measures
        if measure.task in results.tasks_of(arm)
    ]
    costs = {arm: asdict(cost) for arm, cost in results.costs.items()}
    whole = {"run": run, "rows": rows, "costs": costs, "verdict": list(verdict), "seeds": list(results.seeds)}
    return json.dumps(whole, indent=1)
