"""load_table(): rows to documents, held against the live version, and every mistake in one line."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from model.contract import stored_in_redis, stored_in_sqlite
from model.contract.mistakes import InputError
from model.contract.registry import open_registry
from model.contract.stored_features import Entity
from tests.service.redis_server import PASSWORD, redis_server
from tests.service.small_bundle import build
from training import stored_features
from training.stored_features import Table, load_table

VIDEOS = {
    "video_id": ["v1", "ü/2"],
    "author": ["ann", None],
    "tags": [["music"], []],
    "duration_s": [3.5, float("nan")],
}
DOCUMENTS = {
    "v1": {"features": {"author": "ann", "tags": ["music"], "duration_s": 3.5}},
    "ü/2": {"features": {"author": None, "tags": [], "duration_s": None}},
}
HISTORY = [[{"video_id": 7, "like": 1.0, "seen": None}, {"video_id": None, "like": 0.0, "seen": 0.0}], None]


@pytest.fixture(scope="module", params=["folder", "bucket"])
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    place = str(tmp_path_factory.mktemp("loading") / "registry")
    if request.param == "bucket":
        pytest.importorskip("fsspec")
        place = f"memory:/{place}"
    open_registry(place).publish(build, keep=1)
    return place


def load(folder: Path, columns: Any, entity: Entity = Entity.VIDEOS, registry: str | None = None, **asked: Any) -> Any:
    """What is stored afterwards, by id."""
    path, store = folder / "table.parquet", folder / "features.sqlite"
    pl.DataFrame(columns).write_parquet(path)
    table = Table(str(path), entity, asked.get("key"), asked.get("names", ()))
    load_table(table, str(store), registry, Console(quiet=True))
    return stored(store, entity)


def stored(store: Path, entity: Entity) -> dict[str, Any]:
    with closing(stored_in_sqlite.connect(store, 1.0)) as connection:
        return {one: json.loads(document) for one, document in connection.execute(f"SELECT * FROM {entity}")}


def test_a_row_is_a_document_and_replaces_the_one_before(tmp_path: Path) -> None:
    assert load(tmp_path, VIDEOS) == DOCUMENTS
    assert load(tmp_path, {"video_id": ["v1"], "author": ["bob"]})["v1"] == {"features": {"author": "bob"}}


def test_id_and_columns_can_be_named(tmp_path: Path) -> None:
    columns = {"item": [1, 2], "author": ["ann", "bob"], "internal": [0, 0]}
    found = load(tmp_path, columns, key="item", names=("author",))
    assert found == {"1": {"features": {"author": "ann"}}, "2": {"features": {"author": "bob"}}}


@pytest.mark.parametrize(("name", "with_registry"), [("history", False), ("history", True), ("recent", True)])
def test_a_history_is_a_list_of_structs(tmp_path: Path, registry: str, name: str, with_registry: bool) -> None:
    columns = {"user_id": ["u1", "u2"], "age": [30, 40], name: HISTORY}
    found = load(tmp_path, columns, Entity.USERS, registry if with_registry else None)
    assert found["u1"]["history"] == [{"video_id": "7", "outcomes": {"like": 1.0, "seen": None}}]
    assert found["u1"]["features"] == {"age": 30} and found["u2"] == {"features": {"age": 40}}


def test_csv_is_read_as_the_live_version_reads_it(tmp_path: Path, registry: Path) -> None:
    path = tmp_path / "videos.csv"
    path.write_text('video_id,author,tags,title\n007,12,"music,live","1,2,3"\n')
    load_table(Table(str(path), Entity.VIDEOS, None, ()), str(tmp_path / "s"), registry, Console(quiet=True))
    features = {"author": "12", "tags": ["music", "live"], "title": [1.0, 2.0, 3.0]}
    assert stored(tmp_path / "s", Entity.VIDEOS) == {"007": {"features": features}}


@pytest.mark.parametrize(
    ("columns", "live", "told"),
    [
        (
            {"videoid": ["v1"]},
            False,
            "column `video_id`: expected one of `videoid`, found none; did you mean `videoid`?",
        ),
        ({"video_id": ["v1"], "a": [1]}, False, "column `b`: expected one of `video_id`, `a`"),
        ({"video_id": ["v1", "v1"]}, False, "column `video_id`: expected each id once, found `v1`"),
        (
            {"video_id": ["v1", None]},
            False,
            "column `video_id`, row 1: expected an id of 1 to 512 characters, found null",
        ),
        ({"video_id": ["x" * 513]}, False, "column `video_id`, row 0: expected an id of 1 to 512 characters"),
        ({"video_id": [1.5]}, False, "column `video_id`: expected ids as strings or integers"),
        ({"video_id": ["v1"], "durations": [1.0]}, True, "did you mean `duration_s`?"),
        ({"video_id": ["v1"], "age": [1.0]}, True, "found `age`, a feature of the user"),
        ({"video_id": ["v1", "v2"], "duration_s": [1.0, float("inf")]}, True, "column `duration_s`, row 1"),
        ({"video_id": ["v1"], "tags": [5]}, True, "column `tags`: expected lists"),
        ({"video_id": ["v1"], "raw": [b"\xff"]}, False, "columns that JSON has a spelling for"),
    ],
)
def test_a_mistake_is_one_line_and_stores_nothing(
    tmp_path: Path, registry: str, columns: Any, live: bool, told: str
) -> None:
    with pytest.raises(InputError) as error:
        load(tmp_path, columns, registry=registry if live else None, names=("b",) if "a" in columns else ())
    assert told in str(error.value) and "\n" not in str(error.value)
    store = tmp_path / "features.sqlite"
    assert not store.exists() or stored(store, Entity.VIDEOS) == {}


def test_a_batch_is_written_whole_or_not_at_all(tmp_path: Path, registry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_features, "BATCH_ROWS", 4)
    columns = {"video_id": [f"v{at}" for at in range(10)], "duration_s": [1.0] * 6 + [float("inf")] + [1.0] * 3}
    with pytest.raises(InputError, match="row 6"):
        load(tmp_path, columns, registry=registry)
    assert sorted(stored(tmp_path / "features.sqlite", Entity.VIDEOS)) == ["v0", "v1", "v2", "v3"]


def test_the_same_goes_to_a_redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_in_redis, "MOST_AT_ONCE", 1)
    pl.DataFrame(VIDEOS).write_parquet(tmp_path / "videos.parquet")
    table = Table(str(tmp_path / "videos.parquet"), Entity.VIDEOS, None, ())
    with redis_server(tmp_path) as redis:
        assert load_table(table, redis.url, None, Console(quiet=True)) == 2
        with closing(stored_in_redis.connect(redis.url, 1.0)) as client:
            for one, document in DOCUMENTS.items():
                assert json.loads(client.get(stored_in_redis.key(Entity.VIDEOS, one))) == document
        for url in (
            redis.url.replace(PASSWORD, f"not{PASSWORD}"),
            f"redis://:{PASSWORD}@127.0.0.1:1",
            f"http://{PASSWORD}",
        ):
            with pytest.raises(InputError) as error:
                load_table(table, url, None, Console(quiet=True))
            assert PASSWORD not in str(error.value) and "\n" not in str(error.value)
