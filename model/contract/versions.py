"""A registry's layout on disk: published versions, and which of them is live."""

import re
from collections.abc import Callable
from pathlib import Path

from model.contract.bundle import Manifest
from model.contract.durable import flush, flush_tree, workspace, write_text
from model.contract.mistakes import mistake, quote

VERSIONS, CHANNELS, LIVE = "versions", "channels", "live"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def version_folder(registry: Path, version: str) -> Path:
    return registry / VERSIONS / version


def live_version(registry: Path) -> str:
    path = registry / CHANNELS / LIVE
    if not path.is_file():
        raise mistake(str(registry), "a registry with a live version (`watchnext train` publishes one)", "none")
    version = path.read_text(encoding="utf-8", errors="replace").strip()
    if not NAME.fullmatch(version):
        raise mistake(str(path), "the name of a version", quote(version))
    return version


def set_live(registry: Path, version: str) -> None:
    write_text(registry / CHANNELS / LIVE, version + "\n")


def add_version(registry: Path, build: Callable[[Path], Manifest]) -> Manifest:
    """Let `build` fill a folder beside the versions, then rename it to its version: it appears whole or not at all."""
    versions = registry / VERSIONS
    with workspace(versions, "incoming") as folder:
        manifest = build(folder)
        flush_tree(folder)
        target = version_folder(registry, manifest.version)
        if not target.exists():  # the version names its content: an equal one is already published
            folder.rename(target)
    flush(versions)
    return manifest
