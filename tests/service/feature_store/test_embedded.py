"""The SQLite file: refused when it is not ours, survived when it is damaged, and none at all."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from model.contract.mistakes import InputError
from model.contract.request import RankRequest
from model.contract.stored_features import Entity
from service.errors import NowhereToStore
from service.feature_store.embedded import BUNDLE_ALONE, Embedded
from service.feature_store.interface import NOTHING
from service.ranking.pipeline import rank
from service.ranking.ranker import Ranker

DOCUMENT = b'{"features": {"duration_s": 100.0}}'


def test_without_a_file_nothing_is_stored() -> None:
    assert BUNDLE_ALONE.read("u1", ["v1"]) == NOTHING
    with pytest.raises(NowhereToStore, match="--features-path"):
        BUNDLE_ALONE.write(Entity.VIDEOS, "v1", DOCUMENT)


def test_what_is_stored_of_users_is_nobody_elses(tmp_path: Path) -> None:
    with closing(Embedded(tmp_path / "features")) as store:
        store.write(Entity.USERS, "u1", DOCUMENT)
        files = list(tmp_path.iterdir())
        assert len(files) > 1 and not any(one.stat().st_mode & 0o077 for one in files)


def test_what_is_no_file_of_ours_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    text, foreign, newer, folder = (tmp_path / name for name in ("text", "foreign", "newer", "folder"))
    text.write_bytes(b"no database" * 1000)
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE videos (id)")
    Embedded(newer).close()
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute("PRAGMA user_version = 99")
    folder.mkdir()
    for path, found in ((text, "not a database"), (foreign, "another program"), (newer, "layout 99"), (folder, "open")):
        before = path.read_bytes() if path.is_file() else None
        with pytest.raises(InputError, match=found) as told:
            Embedded(path)
        assert "\n" not in str(told.value) and str(path) in str(told.value)
        assert before is None or path.read_bytes() == before


def test_damage_inside_the_file_fails_no_request(ranker: Ranker, tmp_path: Path) -> None:
    path = tmp_path / "features.sqlite"
    with closing(Embedded(path)) as store:
        for at in range(300):
            store.write(Entity.VIDEOS, f"v{at}", b'{"features": {"title": [0.5, 0.5, 0.5]}}')
    content = bytearray(path.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    path.write_bytes(content)
    with closing(Embedded(path)) as store:
        ranking = rank(RankRequest(candidates=["v1", "v2"]), ranker, store)
    assert sorted(ranking.ids) == ["v1", "v2"]
    assert [one.kind.value for one in ranking.warnings] == ["features_unavailable"]
