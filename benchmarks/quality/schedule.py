"""Schedule: every arm with every seed, by several processes at once; what is known already is not done again."""

import hashlib
import json
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from benchmarks.quality.arm import Arm, Job
from benchmarks.quality.scores import Scores, scores
from model.contract.durable import write_text
from model.contract.mistakes import mistake
from training.dataset import open_prepared
from training.fits_bar import FitsBar
from training.splits import TEST


@dataclass(frozen=True, slots=True)
class Fit:
    """`encoded` is the folder of the dataset, whose name is a hash of the data."""

    arm: Arm
    seed: int
    encoded: Path

    @property
    def key(self) -> str:
        content = "\n".join([self.arm.content, str(self.seed), self.encoded.name])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return f"{self.arm.name}, seed {self.seed}"


@dataclass(frozen=True, slots=True)
class Workers:
    count: int
    num_threads: int  # of each


def measure(fit: Fit, num_threads: int) -> Scores:
    """Scores of the test split."""
    settings = fit.arm.config.training.model_copy(update={"seed": fit.seed})
    config = fit.arm.config.model_copy(update={"training": settings})
    dataset = open_prepared(config.feature_schema, fit.encoded)
    return scores(config.tasks, dataset.splits[TEST], fit.arm.predict(Job(config, dataset, num_threads)))


def measure_all(fits: Sequence[Fit], workers: Workers, out: Path, bar: FitsBar) -> list[Scores]:
    """In the order of `fits`. Each result is in `out` as soon as it is there, by the content of its fit."""
    known: dict[str, Scores] = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
    # Two fits may be the same one: the shipped sharing is also one of those that are compared.
    missing = {fit.key: fit for fit in fits if fit.key not in known}
    bar.expect(len(fits), sum(fit.key in known for fit in fits))
    # Not forked: a copy of a process that has used torch's threads may wait for them for ever.
    with ProcessPoolExecutor(workers.count, multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(measure, fit, workers.num_threads): fit for fit in missing.values()}
        try:
            for future in as_completed(running):
                fit = running[future]
                known[fit.key] = future.result()
                write_text(out, json.dumps(known, indent=1))
                bar.end(str(fit))
        except BrokenProcessPool as error:
            expected = f"room for {workers.count} trainings at once"
            raise mistake("--workers", expected, "one that was killed; the same command goes on") from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [known[fit.key] for fit in fits]
