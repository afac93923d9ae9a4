"""A registry's layout on disk: published versions, and which of them is live."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from model.contract.bundle import Manifest
from model.contract.durable import files_below, flush, write_text
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
    versions.mkdir(parents=True, exist_ok=True)
    beside = versions / f".incoming-{os.getpid()}"
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir()
        manifest = build(beside)
        for path in [*files_below(beside), *(one for one in beside.rglob("*") if one.is_dir()), beside]:
            flush(path)
        target = version_folder(registry, manifest.version)
        if not target.exists():  # the version names its content: an equal one is already published
            beside.rename(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    flush(versions)
    return manifest
