"""Quality: every metric of every task on validation and test, with intervals."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from model.contract.tasks import Task, TaskKind
from training.evidence.draws import Interval
from training.evidence.intervals import interval
from training.evidence.subject import Alarm, Scored, Subject
from training.metrics import METRICS
from training.splits import TEST, VALID

LARGEST_ECE = 0.02


@dataclass(frozen=True, slots=True)
class TaskQuality:
    """`num_rows` and the mean label (the rate of a binary task) are of the test rows where the task was observed;
    `metrics[split][metric]`.
    """

    task: Task
    num_rows: int
    mean_label: float
    metrics: Mapping[str, Mapping[str, Interval]]


@dataclass(frozen=True, slots=True)
class Quality:
    tasks: tuple[TaskQuality, ...]

    @property
    def alarms(self) -> Iterator[Alarm]:
        for one in self.tasks:
            if one.task.kind is not TaskKind.BINARY:
                continue
            metrics = one.metrics[TEST]
            if metrics["ece"].value > LARGEST_ECE:
                yield Alarm(
                    f"Predictions of {one.task.name} are off by {metrics['ece'].value:.3f} on average (ECE on test, "
                    f"where {LARGEST_ECE:g} is a lot): what they promise does not happen."
                )
            if metrics["auc"].low <= 0.5:
                yield Alarm(f"{one.task.name} is ordered no better than by chance: the interval of its AUC holds 0.5.")


def measure(subject: Subject) -> Quality:
    splits = {VALID: subject.valid, TEST: subject.test}
    return Quality(
        tuple(
            TaskQuality(
                task,
                len(subject.test.tasks[task.name].labels),
                float(subject.test.tasks[task.name].labels.mean()),
                {name: _metrics(task, at, one) for name, one in splits.items()},
            )
            for at, task in enumerate(subject.tasks)
        )
    )


def _metrics(task: Task, at: int, scored: Scored) -> dict[str, Interval]:
    draws = scored.draws.at(scored.observed(at))
    return {metric: interval(task.kind, metric, scored.tasks[task.name], draws) for metric in METRICS[task.kind]}
