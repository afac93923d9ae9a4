"""What is stored is ranked as the same values in the request would be, and can fail nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from model.contract.request import RankRequest
from model.contract.stored_features import Document, Entity
from service.errors import StoreUnavailable
from service.feature_store.interface import FeatureStore, Stored
from service.ranking.order import Ranking
from service.ranking.pipeline import rank
from service.ranking.ranker import Ranker
from service.ranking.trail import Trail
from tests.service.small_bundle import user, video

NEW = {"author": "ann", "tags": ["music", "live"], "duration_s": 31.5, "title": [0.1, 0.2, 0.3]}
REQUEST = {"user": {"id": "new user"}, "context": {"device": "ios"}, "candidates": ["v1", "new", "v2"]}


class Fixed(FeatureStore):
    """Holds what it is given."""

    def __init__(self, of_user: Document | None = None, **videos: Any) -> None:
        self.of_user, self.videos = of_user, {one: {"features": features} for one, features in videos.items()}

    def read(self, user: str | None, videos: Sequence[str]) -> Stored:
        return Stored(self.of_user if user else None, {one: self.videos[one] for one in videos if one in self.videos})

    def write(self, entity: Entity, one: str, document: bytes | None) -> None:
        raise AssertionError("ranking writes nothing")

    def close(self) -> None: ...


class Broken(Fixed):
    def read(self, user: str | None, videos: Sequence[str]) -> Stored:
        raise StoreUnavailable("broken", 1.0)


def ranked(
    ranker: Ranker, store: FeatureStore, request: Mapping[str, Any] = REQUEST, trail: Trail | None = None
) -> Ranking:
    return rank(RankRequest.model_validate(request), ranker, store, trail)


def same(left: Ranking, right: Ranking) -> None:
    assert left.ids == right.ids
    np.testing.assert_array_equal(left.predictions, right.predictions)


def kinds(ranking: Ranking) -> list[str]:
    return [one.kind.value for one in ranking.warnings]


def test_new_videos_and_users_are_ranked_as_if_all_were_inline(ranker: Ranker) -> None:
    about = user(3)
    inline = REQUEST | {"user": {"id": "new user"} | about, "candidates": ["v1", {"id": "new", "features": NEW}, "v2"]}
    stored = ranked(ranker, Fixed(about, new=NEW))
    same(stored, ranked(ranker, Fixed(), inline))
    assert kinds(ranked(ranker, Fixed())) == ["unknown_user", "unknown_candidate"] and kinds(stored) == []


def test_a_video_stored_as_the_bundle_has_it_changes_nothing_but_rounding(ranker: Ranker) -> None:
    same_again = ranked(ranker, Fixed(v1=video(1), v2=video(2)))
    np.testing.assert_allclose(same_again.predictions, ranked(ranker, Fixed()).predictions, rtol=1e-5, atol=1e-6)


def test_a_request_overrides_feature_by_feature_and_can_make_one_missing(ranker: Ranker) -> None:
    request = REQUEST | {"candidates": [{"id": "new", "features": {"author": "bob", "title": None}}]}
    merged = REQUEST | {"candidates": [{"id": "new", "features": NEW | {"author": "bob", "title": None}}]}
    same(ranked(ranker, Fixed(new=NEW), request), ranked(ranker, Fixed(), merged))


def test_a_given_history_replaces_the_stored_one(ranker: Ranker) -> None:
    given = [{"video_id": "v3", "outcomes": {"like": 1}}]
    request = REQUEST | {"user": {"id": "u", "history": given}}
    store = Fixed({"features": {}, "history": user(5)["history"]})
    same(ranked(ranker, store, request), ranked(ranker, Fixed(), request))
    empty = REQUEST | {"user": {"id": "u", "history": []}}
    same(ranked(ranker, store, empty), ranked(ranker, Fixed(), empty))


def test_the_query_video_lends_what_is_stored_of_it(ranker: Ranker) -> None:
    request = REQUEST | {"query": {"video_id": "new"}, "candidates": ["v1"]}
    given = REQUEST | {"query": {"video_id": "new", "features": {"watching_tags": NEW["tags"]}}, "candidates": ["v1"]}
    stored = ranked(ranker, Fixed(new=NEW), request)
    same(stored, ranked(ranker, Fixed(), given))
    assert "unknown_query_video" not in kinds(stored) and "unknown_query_video" in kinds(ranked(ranker, Fixed(), given))


@pytest.mark.parametrize("wrong", ["x", [1, 2], {"a": 1}, 1e300, [[1]], "\ud800"])
def test_what_this_version_cannot_read_is_ignored_and_counted(ranker: Ranker, wrong: Any) -> None:
    """A name that it does not know, and a value of another type, beside values that it reads."""
    store = Fixed(
        {"features": {"age": wrong, "shoe_size": wrong}}, new=NEW | {"colour": wrong}, v2={"duration_s": wrong}
    )
    trail = Trail()
    ranking = ranked(ranker, store, trail=trail)
    same(ranking, ranked(ranker, Fixed(new=NEW)))
    assert trail.num_ignored == 4
    assert kinds(ranking) == ["unknown_user"]


def test_stored_junk_alone_leaves_a_video_unknown(ranker: Ranker) -> None:
    assert kinds(ranked(ranker, Fixed(new={"colour": "red"}))) == ["unknown_user", "unknown_candidate"]


def test_a_history_of_another_shape_is_ignored(ranker: Ranker) -> None:
    for history in ("x", [1], [{"video_id": 1.5}], [{"video_id": "v1", "outcomes": 3}]):
        trail = Trail()
        ranking = ranked(ranker, Fixed({"features": {}, "history": history}), trail=trail)
        same(ranking, ranked(ranker, Fixed()))
        assert trail.num_ignored == 1


def test_a_store_that_does_not_answer_is_told_of(ranker: Ranker) -> None:
    ranking = ranked(ranker, Broken())
    same(ranking, ranked(ranker, Fixed()))
    assert kinds(ranking) == ["features_unavailable", "unknown_user", "unknown_candidate"]
