"""What every feature store promises; runs by itself on each that the table names."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from model.contract.request import LONGEST_ID, RankRequest
from model.contract.stored_features import Entity, UserFeatures, VideoFeatures, write_document
from service.feature_store import AnyFeatureStore, StoreKind, open_store
from service.feature_store.interface import NOTHING, FeatureStore, StoreConfig
from service.ranking.order import Ranking
from service.ranking.pipeline import rank
from service.ranking.ranker import Ranker
from service.settings import Settings
from tests.service.redis_server import redis_server
from tests.service.small_bundle import open_ranker, publish

Open = Callable[[], FeatureStore]
CONFIGS: tuple[type[StoreConfig], ...] = get_args(get_args(AnyFeatureStore)[0])
KINDS = [config.model_fields["kind"].annotation.__args__[0] for config in CONFIGS]  # type: ignore[union-attr]
IDS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=LONGEST_ID)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Of each kind the settings that it needs."""
    folder = tmp_path_factory.mktemp("stores")
    with redis_server(folder) as redis:
        yield {"features_path": folder / "new" / "features.sqlite", "redis_url": redis.url, "feature_timeout_ms": 5000}


@pytest.fixture(params=KINDS, scope="module")
def open_one(request: pytest.FixtureRequest, places: dict[str, Any]) -> Open:
    settings = Settings(registry=Path("none"), feature_store=request.param, **places)
    return lambda: open_store(settings)


@pytest.fixture(scope="module")
def store(open_one: Open) -> Iterator[FeatureStore]:
    with closing(open_one()) as store:
        yield store


@pytest.fixture(scope="module")
def ranker(tmp_path_factory: pytest.TempPathFactory) -> Ranker:
    folder = tmp_path_factory.mktemp("ranker")
    publish(folder, "v")
    return open_ranker(folder / "versions" / "v")


def put(store: FeatureStore, entity: Entity, one: str, history: Any = None, **features: Any) -> None:
    form = (
        UserFeatures(features=features, history=history) if entity is Entity.USERS else VideoFeatures(features=features)
    )
    store.write(entity, one, write_document(form))


def told(store: FeatureStore, entity: Entity, one: str) -> Any:
    return store.read(one, []).user if entity is Entity.USERS else store.read(None, [one]).videos.get(one)


def test_the_settings_name_the_kinds_of_the_table() -> None:
    assert list(get_args(StoreKind)) == KINDS
    with pytest.raises(ValidationError, match="embedded"):
        TypeAdapter(AnyFeatureStore).validate_python({"feature_store": "none"})


@pytest.mark.parametrize("entity", Entity)
def test_what_is_written_is_read_until_it_is_deleted(store: FeatureStore, entity: Entity) -> None:
    assert told(store, entity, "a") is None
    put(store, entity, "a", size=1, tags=["ä", None])
    assert told(store, entity, "a") == {"features": {"size": 1, "tags": ["ä", None]}}
    put(store, entity, "a", other=2.5)
    assert told(store, entity, "a") == {"features": {"other": 2.5}}  # replaced as a whole
    store.write(entity, "a", None)
    store.write(entity, "a", None)
    assert told(store, entity, "a") is None


def test_users_and_videos_of_one_name_are_two(store: FeatureStore) -> None:
    put(store, Entity.USERS, "same", of="user")
    assert store.read(None, ["same"]) == NOTHING
    put(store, Entity.VIDEOS, "same", of="video")
    both = store.read("same", ["same", "another"])
    assert both.user == {"features": {"of": "user"}} and both.videos == {"same": {"features": {"of": "video"}}}


@given(ids=st.lists(IDS, min_size=1, max_size=5, unique=True), text=st.text(st.characters(exclude_categories=("Cs",))))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_an_id_or_a_value(store: FeatureStore, ids: list[str], text: str) -> None:
    for at, one in enumerate(ids):
        put(store, Entity.VIDEOS, one, at=at, text=text)
    found = store.read(None, [*ids, "nobody wrote this"]).videos
    assert found == {one: {"features": {"at": at, "text": text}} for at, one in enumerate(ids)}
    for one in ids:
        store.write(Entity.VIDEOS, one, None)
    assert store.read(None, ids) == NOTHING


def test_it_reads_thousands_at_once(store: FeatureStore) -> None:
    ids = [f"many {at}" for at in range(40_000)]
    for one in ids[::4000]:
        put(store, Entity.VIDEOS, one, name=one)
    assert store.read("nobody", ids).videos == {one: {"features": {"name": one}} for one in ids[::4000]}


def test_what_nobody_of_us_wrote_is_counted_and_left_out(store: FeatureStore) -> None:
    wrong = [b"", b"[", b"[]", b"{}", b'{"features": 1}', b'{"features": {}}, {"features": {}}', b"\xff"]
    for at, document in enumerate(wrong):
        store.write(Entity.VIDEOS, f"wrong {at}", document)
    put(store, Entity.VIDEOS, "right", size=1)
    found = store.read(None, ["right", *(f"wrong {at}" for at in range(len(wrong)))])
    assert found.videos == {"right": {"features": {"size": 1}}} and found.num_unreadable == len(wrong)


def test_what_one_process_writes_another_reads(open_one: Open, store: FeatureStore) -> None:
    with closing(open_one()) as another:
        put(another, Entity.VIDEOS, "shared", size=1)
        assert told(store, Entity.VIDEOS, "shared") == {"features": {"size": 1}}
        put(store, Entity.VIDEOS, "shared", size=2)
        assert told(another, Entity.VIDEOS, "shared") == {"features": {"size": 2}}
    assert told(store, Entity.VIDEOS, "shared") == {"features": {"size": 2}}


def test_many_threads_write_and_read_at_once(store: FeatureStore) -> None:
    def work(worker: int) -> None:
        for turn in range(20):
            put(store, Entity.VIDEOS, f"of {worker}", turn=turn)
            put(store, Entity.VIDEOS, "of all", by=[worker, worker])
            found = store.read(None, [f"of {worker}", "of all"]).videos
            assert found[f"of {worker}"]["features"]["turn"] == turn
            first, second = found["of all"]["features"]["by"]
            assert first == second

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))


WRITE_AND_DIE = """
import os, pathlib, signal, sys
from model.contract.stored_features import Entity
from service.feature_store import open_store
from service.settings import Settings
store = open_store(Settings(registry=pathlib.Path("none")))
for at in range(20):
    store.write(Entity.VIDEOS, f"killed {at}", b'{"features": {}}')
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_acknowledged_survives_a_kill(open_one: Open, places: dict[str, Any], request: Any) -> None:
    chosen = Settings(registry=Path("none"), feature_store=request.node.callspec.params["open_one"], **places)
    ended = subprocess.run([sys.executable, "-c", WRITE_AND_DIE], env=chosen.as_environment() | {"PYTHONPATH": "."})
    assert ended.returncode == -9
    with closing(open_one()) as store:
        assert len(store.read(None, [f"killed {at}" for at in range(20)]).videos) == 20


def ranked(ranker: Ranker, store: FeatureStore, **parts: Any) -> Ranking:
    return rank(RankRequest.model_validate({"candidates": ["v1"]} | parts), ranker, store)


def test_the_bundle_lies_under_the_store_and_the_store_under_the_request(ranker: Ranker, store: FeatureStore) -> None:
    of_bundle = ranked(ranker, store).predictions
    put(store, Entity.VIDEOS, "v1", duration_s=100.0)
    of_store = ranked(ranker, store).predictions
    inline = ranked(ranker, store, candidates=[{"id": "v1", "features": {"duration_s": 7.0}}]).predictions
    store.write(Entity.VIDEOS, "v1", None)
    as_inline = [
        ranked(ranker, store, candidates=[{"id": "v1", "features": {"duration_s": one}}]) for one in (100.0, 7.0)
    ]
    np.testing.assert_array_equal(of_store, as_inline[0].predictions)
    np.testing.assert_array_equal(inline, as_inline[1].predictions)
    np.testing.assert_array_equal(ranked(ranker, store).predictions, of_bundle)
    assert not np.array_equal(of_store, of_bundle) and not np.array_equal(inline, of_store)
