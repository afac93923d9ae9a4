"""The fits of a comparison, made one after the other or by several processes at once; none is made twice."""

import multiprocessing
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import torch

from model.contract.mistakes import mistake
from training.checkpoints import Progress
from training.comparison.fits import Fit, Measured, measure, measured_before
from training.fits_bar import FitsBar


class Silent:
    """A watcher with nobody behind it."""

    def step(self, progress: Progress, num_steps: int, losses: dict[str, float], optimised: float) -> None: ...

    def epoch(self, record: dict[str, Any], is_best: bool) -> None: ...


def measure_all(fits: Sequence[Fit], num_workers: int, bar: FitsBar) -> list[Measured]:
    """In the order of `fits`. Raises what a fit raises; what is done stays done, and what has begun goes on from its
    checkpoint when it is asked for again.
    """
    found = {at: one for at, fit in enumerate(fits) if (one := measured_before(fit)) is not None}
    bar.expect(len(fits), len(found))
    missing = {at: fit for at, fit in enumerate(fits) if at not in found}

    def keep(at: int, one: Measured) -> None:
        found[at] = one
        bar.end(str(fits[at]))

    if num_workers == 1:
        for at, fit in missing.items():
            bar.begin(str(fit), fit.config.training.max_epochs)
            keep(at, measure(fit, bar))
    elif missing:
        _at_once(missing, num_workers, keep)
    return [found[at] for at in range(len(fits))]


def _at_once(fits: Mapping[int, Fit], num_workers: int, keep: Callable[[int, Measured], None]) -> None:
    # Not forked: a copy of a process that has used torch's threads may wait for them for ever.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(num_workers, context, initializer=_become_worker) as pool:
        try:
            running = {pool.submit(measure, fit, Silent()): at for at, fit in fits.items()}
            for future in as_completed(running):
                keep(running[future], future.result())
        except BrokenProcessPool as error:
            raise mistake("--workers", f"room for {num_workers} trainings at once", "one that was killed") from error
        except BaseException:  # what the others have begun is in their checkpoints
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                child.terminate()
            raise


def _become_worker() -> None:
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
