"""Whatever happens to a bundle, it is refused with its reason, and the version that is served goes on undisturbed."""

import gc
import json
import shutil
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.contract.bundle import LARGEST_FILE, MANIFEST, read_manifest, seal
from model.contract.durable import files_below
from model.contract.registry import open_registry
from model.contract.request import RankRequest
from model.contract.versions import set_live, version_folder
from service.ranking.pipeline import rank
from service.ranking.ranker import Ranker
from service.registry.live import LiveBundle
from service.registry.loading import load_ranker
from service.registry.shadow import Shadow
from tests.service.small_bundle import VERSION, publish

OTHER = "v-two"
REQUEST = RankRequest(candidates=["v1", "v2", "v3"])


@pytest.fixture(scope="module")
def two_versions(registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read only."""
    folder = Path(shutil.copytree(registry, tmp_path_factory.mktemp("damage") / "registry"))
    publish(folder, OTHER, seed=1)
    set_live(folder, VERSION)
    return folder


@pytest.fixture
def own(two_versions: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(two_versions, tmp_path / "registry"))


@pytest.fixture
def live(own: Path, tmp_path: Path) -> LiveBundle:
    load = partial(load_ranker, num_threads=1)
    live = LiveBundle(open_registry(own), load, 1.0, tmp_path / "cache", Shadow(rank))
    live.refresh()
    return live


def truncate(path: Path, other: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path, other: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def remove(path: Path, other: Path) -> None:
    path.unlink()


def swap_in(path: Path, other: Path) -> None:
    """That of another bundle."""
    shutil.copy(other, path)


def copied(own: Path, version: str) -> Path:
    folder = version_folder(own, version)
    shutil.copytree(version_folder(own, VERSION), folder)
    path = folder / MANIFEST
    path.write_text(path.read_text().replace(f'"{VERSION}"', f'"{version}"'))
    return folder


def refused(live: LiveBundle, own: Path, version: str) -> str:
    """Make it live: what it is refused for, while the one before goes on."""
    before = live.ranker
    set_live(own, version)
    live.refresh()
    assert live.ranker is before and len(rank(REQUEST, live.ranker).ids) == 3
    assert live.refused, version
    return live.refused


@pytest.mark.parametrize("damage", [truncate, flip, remove, swap_in])
def test_any_file_damaged(live: LiveBundle, own: Path, damage: Callable[[Path, Path], None]) -> None:
    names = [path.relative_to(version_folder(own, VERSION)) for path in files_below(version_folder(own, VERSION))]
    other = version_folder(own, OTHER)
    assert len(names) > 15
    for at, name in enumerate(names):
        version = f"{damage.__name__}-{at}"
        path = copied(own, version) / name
        if damage is swap_in and path.read_bytes() == (other / name).read_bytes():
            continue  # the same in both bundles
        damage(path, other / name)
        reason = refused(live, own, version)
        if name.name == MANIFEST:
            assert version in reason
        else:
            assert str(path) in reason


def rewrite(change: Callable[[dict[str, Any]], object], folder: Path) -> None:
    raw = json.loads((folder / MANIFEST).read_text())
    change(raw)
    (folder / MANIFEST).write_text(json.dumps(raw))


def reseal(change: Callable[[Path], object], folder: Path) -> None:
    """The checksums are right, the content is not."""
    change(folder)
    manifest = read_manifest(folder)
    (folder / MANIFEST).unlink()
    seal(folder, manifest)


def announce(name: str, num_bytes: int) -> Callable[[Path], None]:
    return partial(rewrite, lambda raw: raw["files"].update({name: {"sha256": "0" * 64, "num_bytes": num_bytes}}))


CRAFTED: dict[str, tuple[Callable[[Path], None], str]] = {
    "another format": (partial(rewrite, lambda raw: raw.update(format_version=99)), "format_version: expected"),
    "path traversal": (announce("../../../channels/live", 6), "expected paths inside the bundle"),
    "absolute path": (announce("/etc/hostname", 6), "expected paths inside the bundle"),
    "too large": (announce("halves/values.npy", LARGEST_FILE + 1), "expected a file of at most"),
    "a negative size": (announce("halves/values.npy", -1), "expected a file of at most"),
    "other inputs": (
        partial(reseal, lambda folder: shutil.copy(folder / "graphs/candidate.onnx", folder / "graphs/rank.onnx")),
        "rank.onnx: inputs: expected an encoded array of the schema",
    ),
    "no graph": (
        partial(reseal, lambda folder: (folder / "graphs/rank.onnx").write_bytes(b"graph")),
        "rank.onnx: expected a graph that ONNX Runtime can load",
    ),
    "another network": (
        partial(reseal, lambda folder: shutil.copy(folder.parent / OTHER / "graphs/rank.onnx", folder / "graphs")),
        "expected the predictions of training",
    ),
    "halves of another catalog": (
        partial(reseal, lambda folder: np.save(folder / "halves/places.npy", np.zeros(3, dtype=np.int32))),
        "expected halves for a catalog of 40 videos",
    ),
    "pickled": (
        partial(reseal, lambda folder: np.save(folder / "halves/values.npy", np.array([{}]), allow_pickle=True)),
        "allow_pickle=False",
    ),
    "under another name": (partial(rewrite, lambda raw: raw.update(version="v-9")), "expected version crafted, found"),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_a_crafted_bundle(live: LiveBundle, own: Path, name: str) -> None:
    craft, told = CRAFTED[name]
    craft(copied(own, "crafted"))
    assert told in refused(live, own, "crafted")


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def test_what_was_served_before_is_freed(live: LiveBundle, own: Path, uncollected: None) -> None:
    """Without a collection, which would not look at what is frozen: nothing may refer to it in circles."""
    for version in (OTHER, VERSION, OTHER):
        ranker: Ranker | None = live.ranker
        assert ranker is not None
        gone = [weakref.ref(one) for one in (ranker, ranker.runtime, ranker.runtime._rank.session)]
        ranking = rank(REQUEST, ranker)  # what a request in flight holds
        set_live(own, version)
        live.refresh()
        assert live.ranker.bundle.manifest.version == version
        assert gone[0]() is ranker
        ranker = None
        assert [one() for one in gone] == [None] * 3 and ranking.ids
