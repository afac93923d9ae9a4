"""Loading: a version's folder to a Ranker that has repeated what training computed."""

from pathlib import Path

import numpy as np

from model.contract.bundle import GoldenRequest, read_bundle
from model.contract.mistakes import InputError, Mistake, mistake
from model.contract.serving import TOLERANCES
from service.ranking.pipeline import rank
from service.ranking.ranker import Ranker
from service.runtime.sessions import Runtime


def load_ranker(folder: Path, num_threads: int) -> Ranker:
    """Raises InputError that says what is wrong with the bundle."""
    bundle = read_bundle(folder)
    ranker = Ranker.of(bundle, Runtime(bundle, num_threads))
    if not bundle.golden:
        raise mistake(str(folder), "at least one golden request", "none")
    for at, golden in enumerate(bundle.golden):
        _repeat(golden, ranker, f"{folder}: golden[{at}]")
    return ranker


def _repeat(golden: GoldenRequest, ranker: Ranker, where: str) -> None:
    """The whole online line must predict what training did."""
    try:
        ranking = rank(golden.request.model_copy(update={"top_k": None}), ranker)
    except InputError as error:
        raise InputError(
            *(Mistake(f"{where}.{one.where}", one.expected, one.found) for one in error.mistakes)
        ) from error
    names = [task.name for task in ranker.bundle.tasks]
    tolerance = TOLERANCES[ranker.bundle.manifest.serving.precision]
    for one, row in zip(ranking.ids, ranking.predictions, strict=True):
        expected = np.array([golden.predictions[one][name] for name in names])
        gap = np.abs(row - expected) / np.maximum(np.abs(expected), 1)
        # Written so that a NaN is refused too.
        if not (gap <= tolerance).all():
            found = f"a difference of {gap.max():.3g}"
            raise mistake(f"{where}: `{one}`", f"the predictions of training within {tolerance:g}", found)
