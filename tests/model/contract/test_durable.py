"""A file is replaced whole or left as it was, and nothing else stays behind."""

import hashlib
import os
from pathlib import Path

import pytest

from model.contract.durable import files_below, flush, sha256, told_as_input_errors, write_durably, write_text
from model.contract.mistakes import InputError, mistake


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    for content in ("first", "sécond"):
        write_text(path, content)
        assert path.read_text(encoding="utf-8") == content
    assert files_below(tmp_path) == [path]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("bad"), KeyboardInterrupt()])
def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "file.txt"
    write_text(path, "old")

    def fail(beside: Path) -> None:
        beside.write_text("half of the n")
        raise error

    with pytest.raises(type(error)):
        write_durably(path, fail)
    assert files_below(tmp_path) == [path]
    assert path.read_text() == "old"


def test_nobody_sees_a_file_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_text(path, "old")

    def write(beside: Path) -> None:
        beside.write_text("new")
        assert path.read_text() == "old"

    write_durably(path, write)
    assert path.read_text() == "new"


def test_sha256_is_that_of_the_content(tmp_path: Path) -> None:
    content = os.urandom(100_000)
    (tmp_path / "file").write_bytes(content)
    assert sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_refusals_of_the_system_are_told_in_one_line(tmp_path: Path) -> None:
    told = r"^the log: expected .*, found No such file or directory \(.*gone\)$"
    with pytest.raises(InputError, match=told), told_as_input_errors("the log"):
        flush(tmp_path / "gone")
    with pytest.raises(InputError, match=r"^here"), told_as_input_errors("the log"):
        raise mistake("here", "one thing", "another")
