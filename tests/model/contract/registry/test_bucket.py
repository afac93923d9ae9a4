"""What a bucket asks for more than a folder: fetching, and a lock that no system lets go of."""

import shutil
import uuid
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from model.contract.bundle import LARGEST_FILE, Manifest
from model.contract.durable import files_below
from model.contract.mistakes import InputError
from model.contract.registry import bucket, open_registry
from model.contract.registry.operations import Registry
from tests.model.contract.registry.places import announcing, publish

pytest.importorskip("fsspec")
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def registry() -> Registry:
    made = open_registry(f"memory://{uuid.uuid4().hex}/registry")
    publish(made, "v1", "v2")
    return made


def fetched(cache: Path) -> list[str]:
    return sorted(path.parent.name for path in cache.glob("*/versions/*/manifest.json"))


def left_over(cache: Path) -> list[Path]:
    return list(cache.glob("*/versions/.*"))


def test_a_version_is_fetched_once_and_again_when_it_is_damaged(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = registry.storage.local("v1", tmp_path)
    assert (folder / "graphs" / "rank.onnx").read_text() == "graph of v1"
    got: list[str] = []
    files: Any = registry.storage._files
    get = files.get_file
    monkeypatch.setattr(files, "get_file", lambda source, target: (got.append(source), get(source, target)))
    assert registry.storage.local("v1", tmp_path) == folder and not got
    (folder / "graphs" / "rank.onnx").write_text("graph of v0")
    assert registry.storage.local("v1", tmp_path) == folder and len(got) == 1
    assert (folder / "graphs" / "rank.onnx").read_text() == "graph of v1"


def test_what_no_channel_names_is_forgotten(registry: Registry, tmp_path: Path) -> None:
    for version in ("v1", "v2"):
        registry.storage.local(version, tmp_path)
    registry.storage.forget({"v2"}, tmp_path)
    assert fetched(tmp_path) == ["v2"]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"../../escaped": 1}, "expected paths inside the bundle"),
        ({"/etc/escaped": 1}, "expected paths inside the bundle"),
        ({"a//b": 1}, "expected paths inside the bundle"),
        ({"manifest.json": 1}, "expected paths inside the bundle"),
        ({"big": LARGEST_FILE + 1}, "expected a file of at most"),
        ({"negative": -1}, "expected a file of at most"),
        ({"missing": 3}, "expected a file of 3 bytes, found none"),
        ({"graphs/rank.onnx": 3}, "expected a file of 3 bytes, found 11 bytes"),
    ],
)
def test_a_manifest_that_is_not_to_be_followed_is_refused(
    registry: Registry, tmp_path: Path, files: dict[str, int], told: str
) -> None:
    def build(folder: Path) -> Manifest:
        return announcing(folder, "v3", **files)

    registry.storage.add(build)
    with pytest.raises(InputError, match=told):
        registry.storage.local("v3", tmp_path / "cache")
    assert not fetched(tmp_path) and not left_over(tmp_path / "cache")
    assert not [path for path in files_below(tmp_path) if "escaped" in path.name]


def test_a_version_without_manifest_is_none(registry: Registry, tmp_path: Path) -> None:
    registry.storage.write("versions/v1/manifest.json", None)
    assert registry.storage.versions() == ["v2"]
    with pytest.raises(InputError, match=r"expected a bundle with a manifest\.json, found none"):
        registry.storage.local("v1", tmp_path)


@pytest.mark.parametrize("moment", ["before", "while"])
def test_a_full_disk_leaves_nothing_behind(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def full(source: str, target: str) -> None:
        Path(target).write_text("half")
        raise OSError(28, "No space left on device", target)

    if moment == "before":
        monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10, 10, 0))
    else:
        monkeypatch.setattr(registry.storage._files, "get_file", full)
    with pytest.raises(OSError, match="No space left on device"):
        registry.storage.local("v1", tmp_path)
    assert not fetched(tmp_path) and not left_over(tmp_path)


def test_a_store_that_does_not_answer_is_an_os_error(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise LookupError("no endpoint")

    for name in ("cat_file", "glob"):
        monkeypatch.setattr(registry.storage._files, name, fail)
    with pytest.raises(OSError, match="LookupError: no endpoint"):
        registry.live()
    with pytest.raises(OSError, match="LookupError: no endpoint"):
        registry.storage.versions()


def test_a_lock_that_a_dead_writer_left_is_taken(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "LOCK_POLL_S", 0.01)
    monkeypatch.setattr(bucket, "LOCK_DEAD_S", 0.05)
    registry.storage.write(bucket.LOCK, b"dead")
    registry.rollback()
    assert registry.live().version == "v1" and registry.storage.read(bucket.LOCK) is None
