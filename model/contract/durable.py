"""Durable files: written beside, flushed to the disk, then renamed, so that nobody ever reads half of one."""

import fcntl
import glob
import hashlib
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.contract.mistakes import InputError, mistake


def write_durably(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then put it in its place at once, with the old one's permissions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(beside)
        if path.exists():
            shutil.copymode(path, beside)
        flush(beside)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    flush(path.parent)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process of this machine at a time; the system lets go when it dies. `path` is a file for nothing else, made
    where it is missing.
    """
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def workspace(parent: Path, name: str) -> Iterator[Path]:
    """A folder of this process alone to build in, on the disk of what it will be renamed to; gone at the end.

    What killed processes of this machine left behind under the same name is removed first.
    """
    parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{name}.{socket.gethostname()}."
    for left in parent.glob(f"{glob.escape(prefix)}*.part"):
        process = left.name.removeprefix(prefix).removesuffix(".part")
        if process.isdigit() and not runs(int(process)):
            shutil.rmtree(left, ignore_errors=True)
    folder = parent / f"{prefix}{os.getpid()}.part"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def runs(process: int) -> bool:
    """Whether this machine has it; one of another user counts."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def write_text(path: Path, content: str) -> None:
    write_durably(path, lambda beside: beside.write_text(content, encoding="utf-8"))


def flush(path: Path) -> None:
    """fsync a file or a folder's list of names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_tree(folder: Path) -> None:
    """fsync a folder and all below it, which may then be renamed."""
    for path in [*folder.rglob("*"), folder]:
        flush(path)


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def mapped(path: Path) -> NDArray[Any]:
    """An array on disk, read only, whose memory all processes share."""
    # numpy cannot map an empty array, and a page for each of many small ones is no gain. As a plain array, for indexing
    # a memmap takes longer.
    return np.asarray(np.load(path, mmap_mode="r" if path.stat().st_size > 4096 else None, allow_pickle=False))


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def told_as_input_errors(what: str) -> Iterator[None]:
    """Turn the operating system's refusals (full disk, no permission, no such file) into one line about `what`."""
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        name = f" ({error.filename})" if error.filename else ""
        raise mistake(what, "a readable, writable place with room", f"{error.strerror or error}{name}") from error
