"""A file is replaced whole or left as it was, and nothing else stays behind."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from model.contract.durable import (
    files_below,
    flush,
    sha256,
    told_as_input_errors,
    workspace,
    write_durably,
    write_text,
)
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


def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    write_text(path, "old")
    path.chmod(0o640)
    write_text(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)


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


def test_a_workspace_is_gone_at_the_end_unless_it_was_renamed(tmp_path: Path) -> None:
    with workspace(tmp_path, "data") as folder:
        (folder / "a").touch()
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt), workspace(tmp_path, "data") as folder:
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())
    with workspace(tmp_path, "data") as folder:
        (folder / "a").touch()
        folder.rename(tmp_path / "data")
    assert (tmp_path / "data" / "a").exists()


def test_a_workspace_clears_away_what_the_killed_left_and_nothing_of_the_living(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from model.contract.durable import workspace\n"
        "with workspace(Path(sys.argv[1]), 'data'): print('here', flush=True); time.sleep(60)"
    )

    def other() -> subprocess.Popen[str]:
        process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline() == "here\n"
        return process

    killed = other()
    killed.kill()
    killed.wait()
    assert len(list(tmp_path.iterdir())) == 1
    living = other()
    try:
        with workspace(tmp_path, "data"):
            found = {path.name.split(".")[-2] for path in tmp_path.iterdir()}
        assert found == {str(os.getpid()), str(living.pid)}
    finally:
        living.kill()
        living.wait()
