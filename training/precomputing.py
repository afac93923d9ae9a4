"""Precomputing: candidate halves of all videos, or of those that are shown most, as far as the budget reaches."""

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from model.contract.catalog import EntityTable
from model.contract.halves import KEPT_IN, HalfValues, Halves
from model.contract.serving import Precision
from model.ranker import MultiTaskRanker
from training.dataset import Preparation

ROWS_AT_ONCE = 8_192


def precompute(
    ranker: MultiTaskRanker, videos: EntityTable, budget_mb: float, preparation: Preparation, precision: Precision
) -> Halves:
    """In the precision in which the rank graph is to run."""

    def halves(rows: NDArray[np.int64]) -> HalfValues:
        return KEPT_IN[precision](_halves(ranker, videos, rows))

    unknown = halves(np.array([videos.num_entities]))
    room = int(budget_mb * 2**20) // unknown.nbytes
    rows = np.arange(videos.num_entities)
    if room < len(rows):
        rows = np.sort(_by_impressions(videos, preparation)[:room])
    values = np.empty((len(rows), unknown.shape[1]), dtype=unknown.dtype)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = slice(start, start + ROWS_AT_ONCE)
        values[some] = halves(rows[some])
    return Halves.of(values, rows, videos.num_entities)


def _by_impressions(videos: EntityTable, preparation: Preparation) -> NDArray[np.int64]:
    """Rows of the catalog, those first that were shown most; equal ones in the order of the catalog."""
    video = pl.col(preparation.schema.keys.video).cast(pl.String)
    shown = preparation.table.impressions.group_by(video.alias("video")).len().collect(engine="streaming")
    counts = np.zeros(videos.num_entities + 1, dtype=np.int64)
    counts[videos.rows(shown["video"].to_list())] = shown["len"].to_numpy()
    return np.argsort(-counts[:-1], kind="stable")


@torch.no_grad()
def _halves(ranker: MultiTaskRanker, videos: EntityTable, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    arrays = videos.gather(rows, ranker.inputs.candidate_names)
    return ranker.candidate_half({name: torch.from_numpy(array) for name, array in arrays.items()}).numpy()
