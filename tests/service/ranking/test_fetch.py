"""fetch(): stored rows, and the row of missing values for what is not stored."""

import numpy as np

from model.contract.request import RankRequest
from model.contract.vocabulary import MISSING
from service.feature_store.embedded import BUNDLE_ALONE
from service.ranking.fetch import fetch
from service.ranking.ranker import Ranker
from tests.service.small_bundle import NUM_VIDEOS


def test_unknown_and_absent_ids_have_the_encoding_of_missing_values(ranker: Ranker) -> None:
    for parts in ({}, {"user": {"id": "who"}, "query": {"video_id": "what"}}):
        fetched = fetch(RankRequest.model_validate({"candidates": ["v1", "new"]} | parts), ranker, BUNDLE_ALONE)
        assert fetched.request.keys() == ranker.blank.keys()
        for name, array in fetched.request.items():
            np.testing.assert_array_equal(array, ranker.blank[name])
        assert fetched.has_half.tolist() == [True, False]
        assert fetched.rows[1] == NUM_VIDEOS


def test_the_query_video_lends_its_features_to_those_that_share_them(ranker: Ranker) -> None:
    videos = ranker.bundle.videos
    request = RankRequest.model_validate({"candidates": ["v1"], "query": {"video_id": "v3"}})
    codes = fetch(request, ranker, BUNDLE_ALONE).request["watching_tags"]
    of_video = videos.lookup("tags", ["v3"])
    assert codes.shape == (1, 2) and of_video.shape == (1, 3)
    assert codes.tolist() == of_video[:, :2].tolist() and (codes != MISSING).all()
