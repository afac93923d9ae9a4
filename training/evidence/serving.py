"""Serving: in which numbers the published version predicts, and what that does to predictions."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import TypeAdapter

from model.contract.serving import PrecisionCheck, Serving
from training.evidence.subject import Absent, Alarm, Subject, from_json


@dataclass(frozen=True, slots=True)
class ReducedPrecision:
    precision: str
    check: PrecisionCheck

    @property
    def alarms(self) -> Iterator[Alarm]:
        if self.check.reduced_ms > self.check.float32_ms:
            slower = f"{self.check.reduced_ms:.2f} ms a request where float32 took {self.check.float32_ms:.2f}"
            yield Alarm(f"{self.precision} was no faster on the machine that published: {slower}.", serious=False)


def measure(subject: Subject) -> ReducedPrecision:
    path = subject.run.serving
    found = from_json(TypeAdapter(Serving), path) if path.is_file() else Serving()
    if found.check is None:
        raise Absent("predictions are made in float32 (`serving.precision`)")
    return ReducedPrecision(found.precision, found.check)
