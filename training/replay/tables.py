"""Tables of a replay for the terminal."""

from collections.abc import Iterator, Sequence

from rich.table import Table

from model.contract.tasks import Task
from training.evidence.draws import Interval
from training.replay.off_policy import OffPolicy
from training.replay.policies import spelled_out
from training.replay.replay import Replay


def replay_tables(replayed: Replay, tasks: Sequence[Task]) -> Iterator[Table]:
    yield _orders(replayed, _heads(tasks))
    yield _front(replayed)
    if replayed.off_policy is not None:
        yield _off_policy(replayed.off_policy, replayed.asked.top_k, tasks)


def _table(title: str, left: Sequence[str], right: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for head in left:
        table.add_column(head, overflow="fold")
    for head in right:
        table.add_column(head, justify="right")
    return table


def _orders(replayed: Replay, heads: Sequence[str]) -> Table:
    k, reference = replayed.asked.top_k, replayed.reference
    title = f"Mean prediction of the first {k} places, and its difference to {reference} (± half of the 95% interval)"
    table = _table(title, ["order"], [f"overlap@{k}", "Spearman", *heads])
    table.add_row(reference, "", "", *(_digits(one.value, 4) for one in replayed.reference_values.values()))
    for name, order in replayed.orders.items():
        changes = [f"{_digits(one.value, 4)}\n{_signed(order.changes[task])}" for task, one in order.values.items()]
        table.add_row(name, f"{order.overlap.value:.3f}", f"{order.rank_correlation.value:.3f}", *changes)
    return table


def _front(replayed: Replay) -> Table:
    front = replayed.front
    title = f"Against {len(front.swept)} swept weights, of which {int(front.on_front.sum())} are on the Pareto front"
    table = _table(title, ["policy", "dominated by", "for instance", "which gains"], [])
    for name, one in front.standings.items():
        if len(one.dominated_by):
            best = one.dominated_by[0]
            gains = zip(front.tasks, front.values[best] - one.values, strict=True)
            told = ", ".join(f"{task} {gain:+#.2g}" for task, gain in gains)
            table.add_row(name, str(len(one.dominated_by)), spelled_out(front.swept[best]), told)
        else:
            table.add_row(name, "none: on the front", "", "")
    return table


def _off_policy(found: OffPolicy, k: int, tasks: Sequence[Task]) -> Table:
    estimated = [task for task in tasks if task.name in found.as_logged]
    title = f"Off-policy estimates of the mean outcome of the first {k} places, {found.num_requests:,} requests"
    table = _table(title, ["policy", "estimate"], [*_heads(estimated), "agreeing", "worth", "mean weight"])
    for name, logged in (("logged, all", found.today), ("logged, these", found.as_logged)):
        table.add_row(name, "mean", *(_plain(logged[task.name]) if task.name in logged else "" for task in estimated))
    for name, one in found.estimates.items():
        weight = _plain(one.mean_weight) if one.mean_weight else ""
        table.add_row(name, "", *("" for _ in estimated), f"{one.num_agreeing:,}", f"{one.effective_size:,.0f}", weight)
        for estimator, values in one.values.items():
            table.add_row("", estimator.upper(), *(_plain(values[task.name]) for task in estimated))
    return table


def _heads(tasks: Sequence[Task]) -> list[str]:
    return [f"{task.name} ({task.unit})" if task.unit else task.name for task in tasks]


def _plain(one: Interval) -> str:
    return f"{_digits(one.value, 4)} ±{_half(one)}"


def _signed(one: Interval) -> str:
    return f"{'+' if one.value >= 0 else ''}{_digits(one.value, 3)} ±{_half(one)}"


def _half(one: Interval) -> str:
    return _digits((one.high - one.low) / 2, 2)


def _digits(value: float, number: int) -> str:
    """So many of them, zeros at the end too."""
    return f"{value:#.{number}g}".rstrip(".")
