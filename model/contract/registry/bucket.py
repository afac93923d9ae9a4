"""BucketStorage: a registry on object storage, through fsspec; versions are fetched into a folder of this machine."""

import contextlib
import hashlib
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import ENOSPC
from pathlib import Path
from typing import Any

from model.contract.bundle import MANIFEST, Manifest, check_seals, read_manifest, verify
from model.contract.durable import files_below, flush, flush_tree, locked, workspace
from model.contract.mistakes import InputError, mistake
from model.contract.registry.storage import Storage
from model.contract.versions import NAME, VERSIONS, version_folder

LOCK = "channels/.lock"
FETCHING = ".lock"  # beside what this machine has fetched
LOCK_POLL_S, LOCK_DEAD_S = 0.2, 30.0


class BucketStorage(Storage):
    """A version is there once its manifest is, which is written last and removed first; a channel is one object. Object
    stores have no locks: the lock is an object that only one writer can create, and that is taken for left behind
    when it does not change for half a minute. Two writers can therefore only meet after one of them hung for so long;
    then the last one counts, and each channel still names a whole version.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._files, self._root = _open(self._url)

    def __str__(self) -> str:
        return self._url

    def read(self, path: str) -> bytes | None:
        with _told():
            try:
                return bytes(self._files.cat_file(f"{self._root}/{path}"))
            except FileNotFoundError:
                return None

    def write(self, path: str, content: bytes | None) -> None:
        with _told():
            if content is not None:
                self._files.pipe_file(f"{self._root}/{path}", content)
                return
            with contextlib.suppress(FileNotFoundError):
                self._files.rm_file(f"{self._root}/{path}")

    def versions(self) -> list[str]:
        with _told():
            manifests = self._files.glob(f"{self._root}/{VERSIONS}/*/{MANIFEST}")
        names = (str(one).rsplit("/", 2)[1] for one in manifests)
        return sorted(name for name in names if NAME.fullmatch(name))

    def add(self, build: Callable[[Path], Manifest]) -> Manifest:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "incoming"
            folder.mkdir()
            manifest = build(folder)
            target = f"{self._root}/{VERSIONS}/{manifest.version}"
            with _told():
                if not self._files.exists(f"{target}/{MANIFEST}"):  # it names its content: else an equal one is there
                    for path in sorted(files_below(folder), key=lambda one: one == folder / MANIFEST):
                        self._files.put_file(str(path), f"{target}/{path.relative_to(folder).as_posix()}")
        return manifest

    def drop(self, version: str) -> None:
        target = f"{self._root}/{VERSIONS}/{version}"
        self.write(f"{VERSIONS}/{version}/{MANIFEST}", None)
        with _told(), contextlib.suppress(FileNotFoundError):
            self._files.rm(target, recursive=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        token = uuid.uuid4().hex.encode()
        seen, since = None, time.monotonic()
        while not self._create(LOCK, token):
            holder = self.read(LOCK)
            if holder != seen:
                seen, since = holder, time.monotonic()
            elif time.monotonic() - since > LOCK_DEAD_S:
                self.write(LOCK, None)
            time.sleep(LOCK_POLL_S)
        try:
            yield
        finally:
            if self.read(LOCK) == token:
                self.write(LOCK, None)

    def _create(self, path: str, content: bytes) -> bool:
        with _told():
            try:
                self._files.pipe_file(f"{self._root}/{path}", content, mode="create")
            except FileExistsError:
                return False
        return True

    def stamp(self, version: str) -> object:
        with _told():
            found = self._files.find(f"{self._root}/{VERSIONS}/{version}", detail=True)
        return tuple((name, one.get("size"), str(one.get("ETag") or one.get("mtime"))) for name, one in found.items())

    def local(self, version: str, cache: Path) -> Path:
        """Fetched once a machine, one fetch at a time, and verified before it gets its name."""
        place = self._place(cache)
        folder = version_folder(place, version)
        place.mkdir(parents=True, exist_ok=True)
        with locked(place / FETCHING):
            if not self._has(folder, version):
                shutil.rmtree(folder, ignore_errors=True)
                with workspace(folder.parent, "incoming") as incoming:
                    self._fetch(version, incoming)
                    flush_tree(incoming)
                    incoming.rename(folder)
                flush(folder.parent)
        return folder

    def forget(self, keep: set[str], cache: Path) -> None:
        place = self._place(cache)
        if not (place / VERSIONS).is_dir():
            return
        with locked(place / FETCHING):
            for folder in (place / VERSIONS).iterdir():
                if NAME.fullmatch(folder.name) and folder.name not in keep:
                    shutil.rmtree(folder, ignore_errors=True)  # who has its files mapped keeps them

    def _place(self, cache: Path) -> Path:
        return cache / hashlib.sha256(self._url.encode()).hexdigest()[:16]

    def _has(self, folder: Path, version: str) -> bool:
        """Whether what was fetched before is what the bucket has, and undamaged."""
        manifest = folder / MANIFEST
        if not manifest.is_file() or manifest.read_bytes() != self.read(f"{VERSIONS}/{version}/{MANIFEST}"):
            return False
        try:
            verify(folder, read_manifest(folder))
        except InputError:
            return False
        return True

    def _fetch(self, version: str, folder: Path) -> None:
        content = self.read(f"{VERSIONS}/{version}/{MANIFEST}")
        if content is None:
            raise mistake(f"{self}/{VERSIONS}/{version}", f"a bundle with a {MANIFEST}", "none")
        (folder / MANIFEST).write_bytes(content)
        manifest = read_manifest(folder)
        check_seals(folder, manifest)  # before anything is written where a name says
        source = f"{self._root}/{VERSIONS}/{version}"
        self._check_sizes(version, manifest)
        _check_room(folder, sum(seal.num_bytes for seal in manifest.files.values()))
        for name in manifest.files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with _told():
                self._files.get_file(f"{source}/{name}", str(folder / name))
        verify(folder, manifest)

    def _check_sizes(self, version: str, manifest: Manifest) -> None:
        """Before they are fetched, so that no disk is filled by what is refused then."""
        where = f"{VERSIONS}/{version}"
        with _told():
            found = self._files.find(f"{self._root}/{where}", detail=True)
        sizes = {name.partition(f"{where}/")[2]: int(one["size"]) for name, one in found.items()}
        for name, seal in manifest.files.items():
            if sizes.get(name) != seal.num_bytes:
                told = "none" if name not in sizes else f"{sizes[name]} bytes"
                raise mistake(f"{self}/{where}/{name}", f"a file of {seal.num_bytes} bytes", told)


def _open(url: str) -> tuple[Any, str]:
    try:
        from fsspec import filesystem
        from fsspec.core import split_protocol

        protocol, path = split_protocol(url)
        # A listing from before a change would hide it.
        files = filesystem(protocol, use_listings_cache=False)
    except ImportError as error:
        extra = "pip install 'watchnext[s3]'" if url.startswith(("s3:", "s3a:")) else "fsspec and its library for it"
        raise mistake("--registry", f"a folder, or a URL whose library is installed ({extra})", url) from error
    except ValueError as error:
        raise mistake("--registry", "a folder, or a URL that fsspec knows", f"{url}: {error}") from error
    return files, files._strip_protocol(path)


@contextmanager
def _told() -> Iterator[None]:
    """Whatever a store's library raises, as the OSError that it is to everybody else."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


def _check_room(folder: Path, num_bytes: int) -> None:
    """A disk that would be full is told before it is: others write on it too."""
    free = shutil.disk_usage(folder).free
    if free < num_bytes:
        raise OSError(ENOSPC, f"No space left on device ({num_bytes} bytes are needed, {free} are free)", str(folder))
