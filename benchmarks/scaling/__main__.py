"""Scaling: what serving and training cost as candidates, videos, rows, vocabularies, tasks and experts grow.

    python -m benchmarks.scaling --out build/scaling --picture docs/scaling.png
    python -m benchmarks.scaling --things candidates tasks        # a look at some of them

Requests of 500 ids (or as many candidates as the panel says), the median, in this process, on one thread, with the
second reference ranker of benchmarks.serving; training on --threads, with what benchmarks.training (vocabulary) and
benchmarks.preparation (rows) train. Memory is anonymous pages at their peak. What is written is kept in --out, the logs
of the panel `rows` are removed. The last line is one JSON object.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console

from benchmarks.scaling import costs
from benchmarks.scaling.costs import Costs
from benchmarks.scaling.drawing import draw
from model.contract.mistakes import InputError


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that grows through `sizes`, and what one size costs."""

    sizes: tuple[int, ...]
    measure: Callable[[int, Path], Costs]


THINGS = {
    "candidates": Thing((50, 100, 200, 500, 1_000, 2_000, 5_000), costs.of_candidates),
    "videos": Thing((10_000, 100_000, 1_000_000), costs.of_catalog),
    "rows": Thing((1_000_000, 2_000_000, 4_000_000, 8_000_000), costs.of_rows),
    "vocabulary": Thing((1_000, 10_000, 100_000, 1_000_000), costs.of_vocabulary),
    "tasks": Thing((2, 4, 8, 16), costs.of_tasks),
    "experts": Thing((2, 4, 8, 16, 32), costs.of_experts),
}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--things", nargs="+", choices=THINGS, default=list(THINGS), metavar="THING")
    parser.add_argument("--most", type=int, help="leave out sizes above this")
    parser.add_argument("--threads", type=int, default=2, help="that train")
    parser.add_argument("--out", type=Path, default=Path("build/scaling"), help="folder that keeps rankers")
    parser.add_argument("--picture", type=Path, help="PNG (scaling.png in --out)")
    return parser.parse_args()


def main() -> None:
    chosen, console = options(), Console()
    torch.set_num_threads(chosen.threads)
    chosen.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[int, Costs]] = {}
    for name in chosen.things:
        thing = THINGS[name]
        for size in (one for one in thing.sizes if chosen.most is None or one <= chosen.most):
            measured = found.setdefault(name, {})[size] = thing.measure(size, chosen.out)
            told = ", ".join(f"{what} {cost:.3g}" for what, cost in measured.items())
            console.print(f"{size:,} {name}: {told}", highlight=False)
    draw(found, chosen.picture or chosen.out / "scaling.png")
    print(json.dumps(found))


if __name__ == "__main__":
    try:
        main()
    except InputError as error:  # --out has rankers of an earlier format
        sys.exit(str(error))
