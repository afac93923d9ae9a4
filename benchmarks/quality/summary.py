"""Summary: means over the seeds with their intervals, as a table and as one JSON object."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from benchmarks.quality.arm import Array
from benchmarks.quality.scores import Scores
from model.contract.tasks import Task, TaskKind
from training.comparison.gains import t_quantile

MEAN_AUC, SPREAD, MAX_ECE = "mean_auc", "mean_auc_spread", "max_ece"


@dataclass(frozen=True, slots=True)
class Summary:
    """One arm. `columns` are `[seed]`: the AUC of each binary task, `<task>_rmse` of the others (of the transformed
    label), the mean AUC. `max_ece` is the largest, over the binary tasks, of the mean over seeds.
    """

    columns: Mapping[str, Array]
    max_ece: float

    @property
    def spread(self) -> float:
        """Of the mean AUC over the seeds, highest less lowest."""
        return float(np.ptp(self.columns[MEAN_AUC]))

    def as_json(self) -> dict[str, float]:
        means = {name: float(values.mean()) for name, values in self.columns.items()}
        return {name: round(value, 5) for name, value in (means | {SPREAD: self.spread, MAX_ECE: self.max_ece}).items()}


def summarise(tasks: Sequence[Task], by_seed: Sequence[Scores]) -> Summary:
    binary = [task.name for task in tasks if task.kind is TaskKind.BINARY]
    others = [task.name for task in tasks if task.kind is not TaskKind.BINARY]

    def figures(task: str, metric: str) -> Array:
        return np.array([one[task][metric] for one in by_seed])

    columns = {name: figures(name, "auc") for name in binary}
    columns |= {f"{name}_rmse": figures(name, "rmse_transformed") for name in others}
    columns[MEAN_AUC] = np.mean([columns[name] for name in binary], axis=0)
    return Summary(columns, max(float(figures(name, "ece").mean()) for name in binary))


def table(summaries: Mapping[str, Summary]) -> Table:
    title = "Test split: mean over the seeds, and half of its 95% interval"
    shown = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    names = list(next(iter(summaries.values())).columns)
    for head in ("arm", *names, SPREAD, MAX_ECE):
        shown.add_column(head.replace("_", " "), justify="left" if head == "arm" else "right", no_wrap=head == "arm")
    for arm, one in summaries.items():
        cells = [_with_interval(one.columns[name]) for name in names]
        shown.add_row(arm, *cells, _short(one.spread), _short(one.max_ece))
    return shown


def _with_interval(values: Array) -> str:
    """Student's t over the seeds; none of a single one."""
    count = len(values)
    if count < 2:
        return _short(values.mean())
    half = t_quantile(1 / (count - 1)) * float(values.std(ddof=1)) / math.sqrt(count)
    return f"{_short(values.mean())}\n±{_short(half)}"


def _short(value: float) -> str:
    return f"{value:.4f}".removeprefix("0")
