"""Experts: who uses which, as `training.health` reads it while training."""

from collections.abc import Iterator
from dataclasses import dataclass

from training.evidence.subject import Absent, Alarm, Subject
from training.health import ExpertHealth, expert_health


@dataclass(frozen=True, slots=True)
class Experts:
    """`tasks` name the rows of each gate."""

    tasks: tuple[str, ...]
    health: ExpertHealth

    @property
    def alarms(self) -> Iterator[Alarm]:
        return (Alarm(f"{text[:1].upper()}{text[1:]}.") for text in self.health.alarms)


def measure(subject: Subject) -> Experts:
    health = expert_health(subject.ranker, subject.tasks, subject.valid.split)
    if not health.gates:
        raise Absent(f"`{subject.run.config.sharing.kind}` has no gates")
    return Experts(tuple(task.name for task in subject.tasks), health)
