"""Tables for the terminal: what a run is worth, what a service ranked."""

from collections.abc import Iterator, Mapping, Sequence

from rich.table import Table

from model.contract.answer import RankResponse
from model.contract.tasks import Task
from training.evaluation import NDCG_AT, SplitMetrics


def metric_tables(metrics: Mapping[str, SplitMetrics], tasks: Sequence[Task]) -> Iterator[Table]:
    """One table for each kind of task, and one for the policies."""
    for kind in dict.fromkeys(task.kind for task in tasks):
        some = [task for task in tasks if task.kind is kind]
        names = list(next(iter(metrics.values())).tasks[some[0].name])
        table = Table(title=f"{kind.value} tasks", title_justify="left")
        for head in ("task", "group", "split", *names):
            left = head in ("task", "group", "split")
            table.add_column(head, justify="left" if left else "right", overflow="fold", no_wrap=left)
        for task in some:
            for split, one in metrics.items():
                table.add_row(task.name, task.group, split, *(f"{one.tasks[task.name][name]:.4f}" for name in names))
        yield table
    table = Table(title=f"NDCG@{NDCG_AT} of each policy's order, by the label that is the gain", title_justify="left")
    for head in ("policy", "split", *(task.name for task in tasks)):
        table.add_column(head, justify="left" if head in ("policy", "split") else "right")
    for split, one in metrics.items():
        for policy, by_task in one.ndcg.items():
            table.add_row(policy, split, *(f"{by_task[task.name]:.4f}" for task in tasks))
    yield table


def ranking_table(response: RankResponse, units: Mapping[str, str | None]) -> Table:
    """The answer of /v1/rank: rank, video, score, and each task's prediction."""
    title = f"policy {response.policy}, version {response.version}"
    table = Table(title=title, title_justify="left")
    table.add_column("#", justify="right")
    table.add_column("video")
    table.add_column("score", justify="right")
    for task, unit in units.items():
        table.add_column(f"{task} ({unit})" if unit else task, justify="right")
    for place, one in enumerate(response.ranking, 1):
        predictions = (_number(one.predictions[task], ".3f") for task in units)
        table.add_row(str(place), one.id, _number(one.score, "#.4g"), *predictions)
    return table


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
