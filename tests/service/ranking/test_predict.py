"""predict(): candidates in blocks, of whatever size, get the predictions that they would get in one."""

from dataclasses import replace

import numpy as np
import pytest

from model.contract import kernels
from model.contract.bfloat16 import rounded
from model.contract.halves import Halves
from model.contract.request import RankRequest
from service.ranking import predict as predicting
from service.ranking.pipeline import rank
from service.ranking.ranker import Ranker
from tests.service.small_bundle import NUM_VIDEOS

ALL_KNOWN = [f"v{at}" for at in range(NUM_VIDEOS)]
ALL_GIVEN = [{"id": one, "features": {"duration_s": 9.0 + at}} for at, one in enumerate(ALL_KNOWN)]
MIXED = [
    given if at % 3 == 0 or at < 5 else known
    for at, (known, given) in enumerate(zip(ALL_KNOWN, ALL_GIVEN, strict=True))
]


@pytest.mark.parametrize("rows", [1, 2, 5, NUM_VIDEOS])
@pytest.mark.parametrize("candidates", [ALL_KNOWN, ALL_GIVEN, MIXED], ids=["known", "given", "mixed"])
def test_blocks_change_no_prediction(
    ranker: Ranker, candidates: list[object], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = RankRequest.model_validate({"candidates": candidates, "user": {"id": "u1"}})
    whole = rank(request, ranker)
    monkeypatch.setattr(predicting, "BLOCK_BYTES", rows * ranker.bundle.halves.row_bytes)
    in_blocks = rank(request, ranker)
    assert in_blocks.ids == whole.ids
    np.testing.assert_allclose(in_blocks.predictions, whole.predictions, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("candidates", [ALL_KNOWN, ALL_GIVEN, MIXED], ids=["known", "given", "mixed"])
def test_halves_of_half_the_width_predict_nearly_the_same(ranker: Ranker, candidates: list[object]) -> None:
    request = RankRequest.model_validate({"candidates": candidates, "user": {"id": "u1"}})
    kept = ranker.bundle.halves
    narrow = Halves(rounded(kept.values), kept.places)
    found = rank(request, replace(ranker, bundle=replace(ranker.bundle, halves=narrow)))
    by_id = dict(zip(found.ids, found.predictions, strict=True))
    expected = rank(request, ranker)
    gaps = [np.abs(by_id[one] - row).max() for one, row in zip(expected.ids, expected.predictions, strict=True)]
    assert max(gaps) < 0.02
    assert (max(gaps) > 0) == (candidates is not ALL_GIVEN)  # what is computed just now need not be kept


@pytest.mark.parametrize("candidates", [ALL_KNOWN, ALL_GIVEN, MIXED], ids=["known", "given", "mixed"])
def test_without_the_kernels_the_predictions_are_the_same(
    ranker: Ranker, candidates: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = RankRequest.model_validate({"candidates": [*candidates, "unknown"], "user": {"id": "u1"}})
    compiled = rank(request, ranker)
    monkeypatch.setattr(kernels, "COMPILED", None)
    in_numpy = rank(request, ranker)
    assert in_numpy.ids == compiled.ids and in_numpy.warnings == compiled.warnings
    np.testing.assert_array_equal(in_numpy.predictions, compiled.predictions)


def test_blocks_are_of_one_size_and_cover_every_row() -> None:
    for num_rows in range(1, 200):
        blocks = list(predicting.blocks(num_rows, predicting.BLOCK_BYTES // 7))
        assert [row for block in blocks for row in range(num_rows)[block]] == list(range(num_rows))
        sizes = [block.stop - block.start for block in blocks]
        assert max(sizes) <= 7
        assert len(set(sizes[:-1])) <= 1
        assert len(blocks) == -(-num_rows // 7)
