"""Quality on real impressions, beside other libraries, all in one run on one split.

    python -m benchmarks.quality --seeds 5 --out runs/quality.json

The shipped config, the same with other ways of sharing, LightGBM with one model a task (every column, with its own
smoothing of categories; and tuned on validation), torch-rechub's MMoE. Everything is
chosen on validation and reported on test, by one set of metrics. What is done is kept in --out by its content
(config, data, code, versions): a run that was stopped goes on, and what has changed is done again. The last line is one
JSON object.
"""

import argparse
import json
import os
import sys
from itertools import product
from pathlib import Path

from rich.console import Console

from benchmarks.quality.arms import NAMES, arms_of, names_for
from benchmarks.quality.schedule import Fit, Workers, measure_all
from benchmarks.quality.summary import summarise, table
from model.contract.mistakes import InputError
from training.config import load_config
from training.dataset import prepare
from training.fits_bar import FitsBar
from training.run import Run

CONFIG = Path(__file__).parent.parent.parent / "configs" / "kuairand.yaml"


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="how many, from 0 on")
    parser.add_argument("--arms", nargs="+", choices=NAMES, metavar="ARM", help=f"{', '.join(NAMES)} (all)")
    parser.add_argument("--config", type=Path, default=CONFIG, help="of WatchNext")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder that keeps encoded data")
    parser.add_argument("--out", type=Path, default=Path("runs/quality.json"), help="file that keeps what is done")
    cores = os.cpu_count() or 1
    parser.add_argument("--workers", type=int, default=cores, help="trainings at once (all cores)")
    parser.add_argument("--threads", type=int, help="of each of them (cores / workers)")
    chosen = parser.parse_args()
    chosen.threads = chosen.threads or max(1, cores // chosen.workers)
    return chosen


def main() -> None:
    chosen, console = options(), Console()
    run = Run.of(load_config(chosen.config), chosen.runs)
    arms = list(arms_of(run.config, chosen.arms or names_for(run.config)))
    with FitsBar(console) as bar:
        prepare(run.preparation, run.encoded, bar.preparing)
        fits = [Fit(arm, seed, run.encoded) for seed, arm in product(range(chosen.seeds), arms)]
        found = measure_all(fits, Workers(chosen.workers, chosen.threads), chosen.out, bar)
    by_arm = {
        arm.name: summarise(run.config.tasks, [one for fit, one in zip(fits, found, strict=True) if fit.arm is arm])
        for arm in arms
    }
    console.print(table(by_arm))
    print(json.dumps({name: one.as_json() for name, one in by_arm.items()}))


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(str(error))
