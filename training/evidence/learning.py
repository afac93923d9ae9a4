"""Learning: losses and metrics epoch by epoch, as training left them."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, TypeAdapter

from training.evidence.subject import Absent, Alarm, Subject, from_json


class Epoch(BaseModel):
    """One record of `history.json`: unweighted training losses by task; utility and metrics on validation."""

    model_config = ConfigDict(frozen=True)
    epoch: int
    losses: dict[str, float]
    utility: float
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class Learning:
    epochs: tuple[Epoch, ...]

    @property
    def best(self) -> Epoch:
        """The one whose weights were kept."""
        return max(self.epochs, key=lambda one: one.utility)

    @property
    def alarms(self) -> Iterator[Alarm]:
        if len(self.epochs) > 1 and self.best is self.epochs[-1]:
            yield Alarm("The last epoch was the best one: more epochs may still help.", serious=False)


def measure(subject: Subject) -> Learning:
    path = subject.run.history
    if not path.is_file():
        raise Absent(f"no {path.name}: the run was trained by an older version")
    return Learning(tuple(from_json(TypeAdapter(list[Epoch]), path)))
