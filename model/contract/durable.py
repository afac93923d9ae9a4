"""Durable files: written beside, flushed to the disk, then renamed, so that nobody ever reads half of one."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from model.contract.mistakes import InputError, mistake


def write_durably(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then put it in its place at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(beside)
        flush(beside)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    flush(path.parent)


def write_text(path: Path, content: str) -> None:
    write_durably(path, lambda beside: beside.write_text(content, encoding="utf-8"))


def flush(path: Path) -> None:
    """fsync a file or a folder's list of names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


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
