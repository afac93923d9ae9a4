"""Speed of training, beside other libraries, all in one run on one machine.

    python -m benchmarks.training                                                          # all of it
    python -m benchmarks.training --vocabularies 1000 --rows 50000 --prepare-rows 20000    # a look

The same MMoE (20 categorical features of 16 dimensions, 8 experts [256, 128], a tower [64] for each of 2 tasks), batch
size, simulated impressions, epochs and optimiser, each library in a process of its own. Rows a second are those of the
steps; an epoch has its end in it too: validation and, with WatchNext, a checkpoint. Then how fast WatchNext prepares
logs of 30 features (benchmarks.preparation). The last line is one JSON object.
"""

import argparse
import importlib
import json
import multiprocessing
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.preparation import LOG, TABLES, computing_with, rates
from benchmarks.training_arms.impressions import Size, simulated
from benchmarks.training_arms.job import Job, Measured

WATCHNEXT, RECHUB = "watchnext", "torch_rechub"
LIBRARIES = {WATCHNEXT: "watchnext", RECHUB: "rechub", "deepctr_torch": "deepctr"}
Found = Mapping[tuple[str, int], Sequence[Measured]]


def in_a_process(call: Callable[..., Any], *given: Any) -> Any:
    """Not forked, and not used again: its memory is that of the call."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(call, *given).result()


def train(library: str, job: Job) -> Measured:
    arm = importlib.import_module(f"benchmarks.training_arms.{LIBRARIES[library]}")
    return arm.measure(job, *simulated(job.size))


def measure_all(chosen: argparse.Namespace, console: Console) -> dict[tuple[str, int], list[Measured]]:
    """By library and vocabulary, which take turns: a machine may be slower at one time than at another."""
    found: dict[tuple[str, int], list[Measured]] = {}
    for _ in range(chosen.repeats):
        for vocabulary, library in product(chosen.vocabularies, chosen.libraries):
            size = Size(vocabulary, chosen.rows, chosen.test_rows)
            try:
                one = in_a_process(train, library, Job(size, chosen.epochs, chosen.threads, chosen.learning_rate))
            except ImportError as error:
                console.print(f"{library} is left out: {error}")
                continue
            found.setdefault((library, vocabulary), []).append(one)
            console.print(f"{library}, {vocabulary:,}: {one.rows_per_s:,.0f} rows/s", highlight=False)
    return found


def preparation_rates(num_rows: int, num_threads: int) -> dict[str, float]:
    """Rows a second of benchmarks.preparation, by layout."""
    if not num_rows:
        return {}
    with tempfile.TemporaryDirectory() as folder, computing_with(num_threads):
        found = rates(num_rows, 1, Path(folder))
    return {layout: num_rows / one["seconds"] for layout, one in found.items()}


def summary(found: Found, vocabularies: Sequence[int], prepared: Mapping[str, float]) -> dict[str, Any]:
    def median(library: str, vocabulary: int, figure: str) -> float:
        return statistics.median(getattr(one, figure) for one in found[library, vocabulary])

    def ratios(figure: str) -> dict[str, float]:
        both = [one for one in vocabularies if {(WATCHNEXT, one), (RECHUB, one)} <= set(found)]
        return {str(one): median(WATCHNEXT, one, figure) / median(RECHUB, one, figure) for one in both}

    def growth(figure: str) -> float | None:
        """Of the time that a row takes, from the smallest to the largest vocabulary."""
        if (WATCHNEXT, vocabularies[0]) not in found or len(vocabularies) < 2:
            return None
        return median(WATCHNEXT, vocabularies[0], figure) / median(WATCHNEXT, vocabularies[-1], figure) - 1

    aucs = {key: statistics.mean(some[0].auc) for key, some in found.items()}
    return {
        "watchnext_over_torch_rechub": ratios("rows_per_s"),
        "watchnext_over_torch_rechub_by_cpu_time": ratios("cpu_rows_per_s"),
        "auc_difference": {
            str(one): aucs[WATCHNEXT, one] - aucs[RECHUB, one] for one in map(int, ratios("rows_per_s"))
        },
        "epoch_cost_growth": growth("rows_per_s"),
        "epoch_cost_growth_by_cpu_time": growth("cpu_rows_per_s"),
        "prepare_rows_per_s": prepared.get(TABLES),
        "prepare_rows_per_s_log": prepared.get(LOG),
        "measured": {
            f"{library} {vocabulary}": [asdict(one) for one in some] for (library, vocabulary), some in found.items()
        },
    }


def show(found: Found, console: Console) -> None:
    table = Table("library", "vocabulary", "rows/s", "rows/CPU s", "s an epoch", "MB", "AUC", "")
    for (library, vocabulary), some in found.items():
        for one in some:
            aucs = ", ".join(f"{auc:.4f}" for auc in one.auc)
            figures = (one.rows_per_s, one.cpu_rows_per_s, one.epoch_s, one.memory_mb)
            table.add_row(library, f"{vocabulary:,}", *(f"{figure:,.0f}" for figure in figures), aucs, one.remark)
    console.print(table)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocabularies", type=int, nargs="+", default=[1_000, 100_000, 1_000_000], help="of a feature")
    parser.add_argument("--libraries", nargs="+", choices=LIBRARIES, default=list(LIBRARIES), metavar="LIBRARY")
    parser.add_argument("--rows", type=int, default=1_000_000, help="to train on")
    parser.add_argument("--test-rows", type=int, default=100_000)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--repeats", type=int, default=1, help="of each training; ratios are of medians")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prepare-rows", type=int, default=4_000_000, help="0: do not prepare")
    return parser.parse_args()


def main() -> None:
    chosen, console = options(), Console()
    found = measure_all(chosen, console)
    show(found, console)
    print(json.dumps(summary(found, chosen.vocabularies, preparation_rates(chosen.prepare_rows, chosen.threads))))


if __name__ == "__main__":
    main()
