"""rank(): however a request is put, it gets what the network predicts for the same facts."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from model.contract.columns import Column
from model.contract.encoding import encode, encode_pairs
from model.contract.features.interface import Side
from model.contract.request import RankRequest
from model.contract.serving import TOLERANCES, Precision
from service.ranking.order import Ranking
from service.ranking.pipeline import rank
from service.ranking.ranker import Ranker
from tests.service.small_bundle import NUM_USERS, NUM_VIDEOS, SCHEMA, network, tables, tensors, user, video

TOLERANCE = TOLERANCES[Precision.FLOAT32]
NETWORK = network()
ENCODER, _ = tables()
OVERRIDES: dict[str, Any] = {
    "author": "nobody",
    "tags": ["cats", "new", "music"],
    "duration_s": 77.5,
    "title": [0.1, -2.0, 3.5],
}


def ask(ranker: Ranker, **parts: Any) -> Ranking:
    return rank(RankRequest.model_validate(parts), ranker)


def predictions(ranking: Ranking) -> dict[str, NDArray[np.float32]]:
    return dict(zip(ranking.ids, ranking.predictions, strict=True))


def assert_same(one: Ranking, other: Ranking, tolerance: float = 1e-6) -> None:
    first, second = predictions(one), predictions(other)
    assert first.keys() == second.keys()
    for name, row in first.items():
        np.testing.assert_allclose(row, second[name], rtol=tolerance, atol=tolerance)


def stored(at: int, facts: Any, count: int) -> dict[str, Any]:
    return facts(at) if at < count else {}


def random_request(seed: int) -> dict[str, Any]:
    """Known and unknown ids, with and without features and history of their own."""
    random = np.random.default_rng(seed)
    chosen = random.permutation(NUM_VIDEOS + 5)[:12].tolist()
    candidates = []
    for at in chosen:
        names = [name for name in OVERRIDES if random.random() < 0.3]
        candidates.append({"id": f"v{at}", "features": {name: OVERRIDES[name] for name in names}})
    request: dict[str, Any] = {"candidates": candidates, "user": {"id": f"u{random.integers(NUM_USERS + 2)}"}}
    if random.random() < 0.4:
        met = random.integers(NUM_VIDEOS + 3, size=random.integers(9)).tolist()
        request["user"]["history"] = [{"video_id": f"v{at}", "outcomes": {"like": at % 2 == 0}} for at in met]
    if random.random() < 0.4:
        request["user"]["features"] = {"age": float(random.integers(60))}
    if random.random() < 0.7:
        request["query"] = {"video_id": f"v{random.integers(NUM_VIDEOS + 3)}"}
    if random.random() < 0.7:
        request["context"] = {"device": str(random.choice(["ios", "fridge"])), "hour": int(random.integers(24))}
    return request


def facts(request: dict[str, Any]) -> list[dict[str, Any]]:
    """One row a candidate, with every raw feature as a log would have it."""
    given, query = request["user"], request.get("query", {}).get("video_id")
    known = stored(int(given["id"][1:]), user, NUM_USERS)
    common = {"user_id": given["id"], "watching": query} | known.get("features", {}) | given.get("features", {})
    common["recent"] = given.get("history", known.get("history"))
    common["watching_tags"] = stored(int(query[1:]), video, NUM_VIDEOS).get("tags") if query else None
    return [
        common
        | request.get("context", {})
        | {"video_id": one["id"]}
        | stored(int(one["id"][1:]), video, NUM_VIDEOS)
        | one["features"]
        for one in request["candidates"]
    ]


def offline(rows: list[dict[str, Any]]) -> NDArray[np.float32]:
    """Encoded as training encodes a log, predicted by torch."""
    features = [one for one in SCHEMA.columns.values() if one.side is not Side.IMPRESSION]
    columns: dict[str, Column] = {
        one.name: one.column.from_values([row.get(one.name) for row in rows], one.shape) for one in features
    }
    arrays = encode(ENCODER, columns)
    arrays |= encode_pairs(ENCODER, arrays, arrays, np.arange(len(rows)))
    with torch.no_grad():
        return NETWORK.predict(tensors(arrays)).numpy()


@pytest.mark.parametrize("seed", range(40))
def test_the_online_line_predicts_what_the_offline_line_does(ranker: Ranker, seed: int) -> None:
    request = random_request(seed)
    served = predictions(ask(ranker, **request))
    expected = offline(facts(request))
    for one, row in zip(request["candidates"], expected, strict=True):
        np.testing.assert_allclose(served[one["id"]], row, rtol=TOLERANCE, atol=TOLERANCE)


def test_the_order_of_candidates_changes_no_prediction(ranker: Ranker) -> None:
    request = random_request(1)
    turned = request | {"candidates": request["candidates"][::-1]}
    assert_same(ask(ranker, **request), ask(ranker, **turned))


def test_candidates_do_not_influence_each_other(ranker: Ranker) -> None:
    request = random_request(2)
    whole = predictions(ask(ranker, **request))
    for part in (request["candidates"][:5], request["candidates"][5:]):
        for name, row in predictions(ask(ranker, **request | {"candidates": part})).items():
            np.testing.assert_allclose(row, whole[name], rtol=1e-6, atol=1e-6)


def test_features_given_inline_equal_the_same_ones_stored(ranker: Ranker) -> None:
    by_id = {"user": {"id": "u4"}, "query": {"video_id": "v7"}, "candidates": [f"v{at}" for at in range(NUM_VIDEOS)]}
    inline = {
        "user": {"id": "u4"} | user(4),
        "query": {"video_id": "v7", "features": {"watching_tags": video(7)["tags"]}},
        "candidates": [{"id": f"v{at}", "features": video(at)} for at in range(NUM_VIDEOS)],
    }
    assert_same(ask(ranker, **by_id), ask(ranker, **inline), 1e-5)


def test_ids_alone_and_ids_in_objects_are_the_same(ranker: Ranker) -> None:
    assert_same(ask(ranker, candidates=["v1", "new"]), ask(ranker, candidates=[{"id": "v1"}, {"id": "new"}]))


def test_null_hides_what_is_stored(ranker: Ranker) -> None:
    hidden = {"id": "v3", "features": dict.fromkeys(video(3))}
    rows = facts({"user": {"id": "u1"}, "candidates": [hidden]})
    served = ask(ranker, user={"id": "u1"}, candidates=[hidden])
    np.testing.assert_allclose(served.predictions, offline(rows), rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("policy", ["balanced", "satisfied"])
def test_contributions_add_up_to_the_order(ranker: Ranker, policy: str) -> None:
    ranking = ask(ranker, **random_request(3), policy=policy, explain=True)
    assert ranking.contributions is not None
    totals = ranking.contributions.sum(axis=1)
    assert (np.diff(totals) <= 0).all()
    scores = np.exp(totals) if policy == "balanced" else totals
    np.testing.assert_allclose(ranking.scores, scores, rtol=1e-12)


def test_the_best_come_first_and_no_more_than_asked_for(ranker: Ranker) -> None:
    everything = ask(ranker, candidates=[f"v{at}" for at in range(NUM_VIDEOS)])
    few = ask(ranker, candidates=[f"v{at}" for at in range(NUM_VIDEOS)], top_k=3)
    assert few.ids == everything.ids[:3]
    assert (np.diff(everything.scores) <= 0).all()
    assert len(ask(ranker, candidates=["v1", "v2"], top_k=40).ids) == 2


def test_what_is_unknown_is_ranked_and_named(ranker: Ranker) -> None:
    ranking = ask(
        ranker,
        user={"id": "who"},
        query={"video_id": "what", "features": {"watching_tags": ["cats"]}},
        context={"device": "fridge"},
        candidates=[
            {"id": "v1", "features": {"author": "eve"}},
            {"id": "new"},
            {"id": "v2", "features": {"author": "eve", "tags": ["music", "x", "y"]}},
        ],
    )
    assert len(ranking.ids) == 3
    assert [(str(one.kind), one.feature, one.ids or one.values) for one in ranking.warnings] == [
        ("unknown_user", None, ("who",)),
        ("unknown_query_video", None, ("what",)),
        ("unknown_candidate", None, ("new",)),
        ("unknown_category", "device", ("fridge",)),
        ("unknown_category", "author", ("eve",)),
        ("unknown_category", "tags", ("x", "y")),
    ]


def test_what_is_known_or_not_given_warns_of_nothing(ranker: Ranker) -> None:
    assert ask(ranker, candidates=["v1"]).warnings == ()
    assert ask(ranker, user={"id": "u1"}, context={"device": None}, candidates=["v1"]).warnings == ()


def test_ids_and_objects_may_stand_side_by_side(ranker: Ranker) -> None:
    ids = ["v1", "v2", "v3"]
    plain = rank(RankRequest(candidates=ids), ranker)
    mixed = rank(RankRequest.model_validate({"candidates": ["v1", {"id": "v2"}, {"id": "v3", "features": {}}]}), ranker)
    assert mixed.ids == plain.ids
    assert np.array_equal(mixed.predictions, plain.predictions)
