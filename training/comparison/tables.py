"""Tables of a comparison for the terminal."""

from itertools import chain, repeat

from rich.table import Table

from training.comparison.arms import SINGLE
from training.comparison.results import Results
from training.evidence.draws import Interval
from training.splits import TEST


def gains_table(results: Results) -> Table:
    """Task by task, so that the arms of one stand below each other."""
    title = f"Test split, {len(results.seeds)} seeds: gain over the single-task twin, with its 95% interval"
    table = Table(title=title, title_justify="left")
    for head in ("task, metric", "arm"):
        table.add_column(head, overflow="fold")
    for head in ("mean", "gain", "from", "to"):
        table.add_column(head, justify="right")
    for measure in results.measures:
        names = chain([measure.task, f"[dim]{measure.metric}[/]"], repeat(""))
        for arm in [one for one in results.arms if measure.task in results.tasks_of(one)]:
            found = ("", "", "") if arm == SINGLE else _shown(results.gain(TEST, arm, measure))
            table.add_row(next(names), arm, f"{results.mean(TEST, arm, measure):.4f}", *found)
        table.add_section()
    return table


def _shown(one: Interval) -> tuple[str, str, str]:
    colour = "green" if one.low > 0 else "red" if one.high < 0 else "default"
    return f"[{colour}]{one.value:+.4f}[/]", f"{one.low:+.4f}", f"{one.high:+.4f}"


def costs_table(results: Results) -> Table:
    table = Table(title=f"Cost, and utility on validation ({SINGLE}: all twins together)", title_justify="left")
    table.add_column("arm")
    for head in ("utility", "parameters", "multiplications a candidate", "seconds of training"):
        table.add_column(head, justify="right")
    for arm, cost in results.costs.items():
        whole = results.tasks_of(arm) == results.tasks_of(SINGLE)
        utility = f"{results.utility(arm, results.tasks_of(arm)):.4f}" if whole else ""
        seconds = "-" if cost.seconds is None else f"{cost.seconds:.1f}"
        table.add_row(arm, utility, f"{cost.parameters:,}", f"{cost.multiplications:,}", seconds)
    return table
