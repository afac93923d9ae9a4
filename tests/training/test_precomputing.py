"""Precomputing: the budget decides what is there before a request, and never what is predicted."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from model.contract.bfloat16 import rounded
from model.contract.halves import HalfValues, Halves
from model.contract.request import RankRequest
from model.contract.serving import Precision
from model.contract.versions import version_folder
from model.ranker import MultiTaskRanker
from service.ranking.pipeline import rank
from service.registry.loading import load_ranker
from training.precomputing import precompute
from training.publish import Release, publish


def room_for(ranker: MultiTaskRanker, release: Release, num_videos: int) -> float:
    """The budget in which so many halves fit."""
    halves = precompute(ranker, release.dataset.encoder.videos, 4096, release.preparation, Precision.FLOAT32)
    return num_videos * halves.row_bytes / 2**20


def of(halves: Halves, rows: NDArray[np.int64]) -> HalfValues:
    return halves.values[halves.places[rows]]


def test_the_most_shown_videos_come_first(release: tuple[MultiTaskRanker, Release]) -> None:
    ranker, what = release
    videos, preparation = what.dataset.encoder.videos, what.preparation
    halves = precompute(ranker, videos, room_for(ranker, what, 20), preparation, Precision.FLOAT32)
    known = halves.known(np.arange(videos.num_entities))
    assert known.sum() == 20 and not halves.known(np.array([videos.num_entities])).any()
    shown = preparation.table.impressions.group_by(pl.col("video_id").cast(pl.String).alias("id")).len().collect()
    counts = dict(zip(shown["id"], shown["len"], strict=True))
    by_row = np.array([counts.get(token.decode(), 0) for token in videos.ids.tokens])
    assert by_row[known].min() >= by_row[~known].max()
    every = precompute(ranker, videos, 4096, preparation, Precision.FLOAT32)
    np.testing.assert_allclose(of(halves, np.flatnonzero(known)), of(every, np.flatnonzero(known)), rtol=1e-5)


def test_in_half_the_width_twice_as_many_fit(release: tuple[MultiTaskRanker, Release]) -> None:
    ranker, what = release
    videos, room = what.dataset.encoder.videos, room_for(ranker, what, 10)
    few, twice = (precompute(ranker, videos, room, what.preparation, precision) for precision in Precision)
    assert (len(few.values), len(twice.values)) == (10, 20)
    known = np.flatnonzero(few.known(np.arange(videos.num_entities)))
    np.testing.assert_array_equal(of(twice, known), rounded(of(few, known)))


@pytest.mark.parametrize("num_videos", [0, 20])
def test_the_budget_is_told_and_changes_no_prediction(
    release: tuple[MultiTaskRanker, Release], tmp_path: Path, num_videos: int
) -> None:
    ranker, what = release
    serving = what.config.serving.model_copy(update={"precomputed_mb": room_for(ranker, what, num_videos)})
    small = Release(
        what.config.model_copy(update={"serving": serving}), what.preparation, what.dataset, {}, what.health
    )
    ids = [token.decode() for token in what.dataset.encoder.videos.ids.tokens[:50]]
    request = RankRequest.model_validate({"candidates": [*ids, "nobody knows"]})
    predictions = []
    for release_, expected in ((small, num_videos), (what, what.dataset.encoder.videos.num_entities)):
        manifest = publish(ranker, release_, tmp_path)
        assert manifest.serving.num_precomputed == expected
        assert manifest.serving.num_videos == what.dataset.encoder.videos.num_entities
        ranking = rank(request, load_ranker(version_folder(tmp_path, manifest.version), num_threads=1))
        predictions.append(dict(zip(ranking.ids, ranking.predictions, strict=True)))
    for one in request.ids:
        np.testing.assert_allclose(predictions[0][one], predictions[1][one], rtol=1e-5, atol=1e-5)
