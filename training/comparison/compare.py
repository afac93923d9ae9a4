"""The comparison: every arm trained with every seed, gains with intervals, costs, a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from rich.console import Console

from model.contract.durable import told_as_input_errors, write_text
from training.comparison.arms import Arm, restricted, sharing_arms, twins
from training.comparison.fits import Fit
from training.comparison.measures import measures_of
from training.comparison.results import Results, as_json
from training.comparison.schedule import measure_all
from training.comparison.verdict import best_together, set_apart, verdict
from training.dataset import prepare
from training.fits_bar import FitsBar
from training.run import Run


@dataclass(frozen=True, slots=True)
class Comparison:
    """`kinds` of sharing, the usual ones where there are none. The seeds are `num_seeds` from the config's own on."""

    run: Run
    kinds: Sequence[str]
    num_seeds: int
    num_workers: int
    match_parameters: bool

    @property
    def seeds(self) -> list[int]:
        first = self.run.config.training.seed
        return list(range(first, first + self.num_seeds))

    def results(self, arms: Sequence[Arm], bar: FitsBar) -> Results:
        fits = [
            Fit(arm, seed, self.run.encoded, self.run.folder / "comparison") for arm, seed in product(arms, self.seeds)
        ]
        measured = measure_all(fits, self.num_workers, bar)
        return Results(measures_of(self.run.config), self.seeds, list(zip(fits, measured, strict=True)))


def compare(comparison: Comparison, console: Console) -> tuple[Results, list[str]]:
    """Returns what was measured and the verdict, which are also written to `comparison.json`."""
    run = comparison.run
    arms = [*twins(run.config), *sharing_arms(run.config, comparison.kinds, comparison.match_parameters)]
    with told_as_input_errors(str(run.folder)), FitsBar(console) as bar:
        prepare(run.preparation, run.encoded, bar.preparing)
        results = comparison.results(arms, bar)
        if (without := _without_losers(results, arms)) is not None:
            results = comparison.results([*arms, without], bar)
        words = verdict(results)
        write_text(run.folder / "comparison.json", as_json(results, words, run.identity))
    return results, words


def _without_losers(results: Results, arms: Sequence[Arm]) -> Arm | None:
    """The best architecture for the other tasks alone, where some are to be set apart: do those miss them?"""
    together = best_together(results)
    if together is None:
        return None
    apart = set_apart(results, together)
    arm = next(one for one in arms if one.name == together)
    rest = tuple(at for at in arm.tasks if arm.config.tasks[at].name not in apart)
    if not apart or len(rest) < max(2, arm.config.sharing.min_tasks):
        return None
    return restricted(arm, f"{together} without {', '.join(apart)}", rest)
