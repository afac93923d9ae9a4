"""A version appears whole or not at all, and one version is live."""

import os
from pathlib import Path

import pytest

from model.contract.bundle import Manifest
from model.contract.durable import files_below
from model.contract.mistakes import InputError
from model.contract.versions import CHANNELS, LIVE, VERSIONS, add_version, live_version, set_live, version_folder
from tests.model.builders import full_schema, make_manifest


def visible(registry: Path) -> list[str]:
    return sorted(path.name for path in (registry / VERSIONS).iterdir() if not path.name.startswith("."))


def fill(folder: Path, version: str = "v1") -> Manifest:
    (folder / "graphs").mkdir()
    (folder / "graphs" / "rank.onnx").write_text("graph")
    assert version not in visible(folder.parents[1])
    return make_manifest(full_schema(), version)


def test_a_version_appears_once_it_is_whole(tmp_path: Path) -> None:
    assert add_version(tmp_path, fill).version == "v1"
    assert [path.name for path in (tmp_path / VERSIONS).iterdir()] == ["v1"]
    assert (version_folder(tmp_path, "v1") / "graphs" / "rank.onnx").read_text() == "graph"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("bad"), KeyboardInterrupt()])
def test_a_build_that_fails_leaves_nothing_behind(tmp_path: Path, error: BaseException) -> None:
    add_version(tmp_path, fill)
    before = files_below(tmp_path)

    def fail(folder: Path) -> Manifest:
        fill(folder, "v2")
        raise error

    with pytest.raises(type(error)):
        add_version(tmp_path, fail)
    assert files_below(tmp_path) == before
    assert [path.name for path in (tmp_path / VERSIONS).iterdir()] == ["v1"]


def test_what_a_killed_build_left_is_no_version_and_in_nobodys_way(tmp_path: Path) -> None:
    for left in (".incoming-1", f".incoming-{os.getpid()}"):
        (tmp_path / VERSIONS / left / "graphs").mkdir(parents=True)
    assert visible(tmp_path) == []
    add_version(tmp_path, fill)
    assert visible(tmp_path) == ["v1"]


def test_an_equal_version_is_published_once(tmp_path: Path) -> None:
    add_version(tmp_path, fill)

    def again(folder: Path) -> Manifest:
        (folder / "other").touch()
        return make_manifest(full_schema(), "v1")

    add_version(tmp_path, again)
    assert visible(tmp_path) == ["v1"]
    assert not (version_folder(tmp_path, "v1") / "other").exists()


def test_one_version_is_live(tmp_path: Path) -> None:
    for version in ("v1", "v2"):
        set_live(tmp_path, version)
        assert live_version(tmp_path) == version


@pytest.mark.parametrize("content", [b"", b" \n", b"../v1\n", b".incoming-7", b"a/b", b"\xff\xfe", b"v1\nv2", b"v\0"])
def test_a_live_file_that_names_no_version_is_told(tmp_path: Path, content: bytes) -> None:
    set_live(tmp_path, "v1")
    (tmp_path / CHANNELS / LIVE).write_bytes(content)
    with pytest.raises(InputError, match="expected the name of a version"):
        live_version(tmp_path)


def test_a_registry_without_a_live_version_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`watchnext train` publishes one"):
        live_version(tmp_path)
