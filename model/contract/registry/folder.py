"""FolderStorage: a registry in a folder, whose versions are served from where they are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from model.contract.bundle import MANIFEST, Manifest
from model.contract.durable import files_below, flush, locked, workspace, write_durably
from model.contract.registry.storage import Storage
from model.contract.versions import NAME, VERSIONS, add_version, version_folder

LOCK = ".lock"


class FolderStorage(Storage):
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __str__(self) -> str:
        return str(self._folder)

    def read(self, path: str) -> bytes | None:
        try:
            return (self._folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, path: str, content: bytes | None) -> None:
        if content is None:
            (self._folder / path).unlink(missing_ok=True)
        else:
            write_durably(self._folder / path, lambda beside: beside.write_bytes(content))

    def versions(self) -> list[str]:
        manifests = (self._folder / VERSIONS).glob(f"*/{MANIFEST}")
        return sorted(one.parent.name for one in manifests if NAME.fullmatch(one.parent.name))

    def add(self, build: Callable[[Path], Manifest]) -> Manifest:
        return add_version(self._folder, build)

    def drop(self, version: str) -> None:
        # Who has the files mapped keeps them until they let go.
        with workspace(self._folder / VERSIONS, "outgoing") as folder:
            version_folder(self._folder, version).rename(folder / version)
            flush(self._folder / VERSIONS)

    @contextmanager
    def locked(self) -> Iterator[None]:
        with locked(self._folder / LOCK):
            yield

    def stamp(self, version: str) -> object:
        files = files_below(version_folder(self._folder, version))
        return tuple((path, (stat := path.stat()).st_mtime_ns, stat.st_size) for path in files)

    def local(self, version: str, cache: Path) -> Path:  # noqa: ARG002 (nothing is fetched)
        return version_folder(self._folder, version)

    def forget(self, keep: set[str], cache: Path) -> None:
        """Nothing was fetched."""
