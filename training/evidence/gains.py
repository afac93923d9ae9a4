"""Gains: what tasks win or lose by being trained together, as `watchnext compare` found it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter

from training.evidence.subject import Absent, Alarm, Subject, from_json
from training.metrics import metric_name

Figure = Annotated[float, BeforeValidator(lambda value: float("nan") if value is None else value)]
ALONE = "single"  # the arm of the single-task twins


class Gain(BaseModel):
    """The mean metric of one task in one arm on test, and its gain over training the task alone, with a 95% interval; a
    gain is positive where the arm is better, whatever the metric's direction. What cannot be had is NaN.
    """

    model_config = ConfigDict(frozen=True)
    arm: str
    task: str
    metric: str
    mean: Figure
    gain: Figure
    low: Figure
    high: Figure


class Cost(BaseModel):
    """`multiplications` are those of one candidate, `seconds` those of one training."""

    model_config = ConfigDict(frozen=True)
    parameters: float
    multiplications: float
    seconds: Figure


class Gains(BaseModel):
    """`comparison.json`."""

    model_config = ConfigDict(frozen=True)
    run: str
    rows: tuple[Gain, ...]
    costs: dict[str, Cost]
    verdict: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`arm` is the architecture of this run."""

    gains: Gains
    arm: str

    @property
    def alarms(self) -> Iterator[Alarm]:
        for one in self.gains.rows:
            if one.arm == self.arm and one.high < 0:
                yield Alarm(
                    f"Negative transfer: {one.task} loses {-one.gain:.4f} {metric_name(one.metric)} by being trained "
                    f"with the others ({one.arm}, interval {one.low:+.4f} to {one.high:+.4f})."
                )


def measure(subject: Subject) -> Comparison:
    path = subject.run.folder / "comparison.json"
    if not path.is_file():
        raise Absent("`watchnext compare` has not been run for this config")
    gains = from_json(TypeAdapter(Gains), path)
    if gains.run != subject.run.identity:
        raise Absent("`watchnext compare` was run before the config or the data changed")
    return Comparison(gains, subject.run.config.sharing.kind)
