"""Costs of balancing: the processor time that a training step takes with each balancer, and times that of `fixed`.

    python -m benchmarks.balancing_costs configs/kuairand.yaml --steps 15

On the config's data and network, one thread. The last line is one JSON object.
"""

import argparse
import json
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import torch
from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from training.balancing import AnyBalancing
from training.balancing.interface import BalancingConfig
from training.balancing.jacobian import AggregatorName, JacobianConfig
from training.config import RunConfig, load_config
from training.dataset import Dataset
from training.loop import Checkpointing, Trainer
from training.run import Run
from training.watching import TerminalWatcher

KINDS = ("fixed", "uncertainty", "dwa", "worst_case", "grad_norm")


class Enough(Exception):
    """As many steps as were asked for."""


class Stopwatch:
    """A watcher that notes when each step was done, and stops the training after some."""

    def __init__(self, num_steps: int) -> None:
        self.num_steps = num_steps
        self.moments: list[float] = []

    def step(self, *_: Any) -> None:
        self.moments.append(time.process_time())
        if len(self.moments) > self.num_steps:
            raise Enough

    def epoch(self, *_: Any) -> None: ...


def milliseconds(config: RunConfig, dataset: Dataset, num_steps: int) -> float:
    """Of the median step."""
    stopwatch = Stopwatch(num_steps)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(config, dataset, Checkpointing(Path(folder) / "checkpoint.pt", "", False), stopwatch)
        try:
            trainer.run()
        except Enough:
            return 1000 * statistics.median(after - before for before, after in pairwise(stopwatch.moments))
    raise ValueError(f"the run is over after {len(stopwatch.moments)} steps: ask for fewer")


def balancings() -> dict[str, BalancingConfig]:
    adapter: TypeAdapter[BalancingConfig] = TypeAdapter(AnyBalancing)
    plain = {kind: adapter.validate_python({"kind": kind}) for kind in KINDS}
    return plain | {f"jacobian {name}": JacobianConfig(aggregator=name) for name in get_args(AggregatorName)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where the encoded data are, or shall be")
    parser.add_argument("--steps", type=int, default=15)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    config, console = load_config(arguments.config), Console()
    run = Run.of(config, arguments.runs)
    with TerminalWatcher(console, run.curves) as watcher:
        dataset = run.dataset(watcher)
    table = Table("balancing", "ms a step", "times fixed")
    figures: dict[str, float] = {}
    for name, balancing in balancings().items():
        figures[name] = milliseconds(config.model_copy(update={"balancing": balancing}), dataset, arguments.steps)
        table.add_row(name, f"{figures[name]:.0f}", f"{figures[name] / figures['fixed']:.1f}")
    console.print(table)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
