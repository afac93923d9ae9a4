"""`watchnext-keys`: makes, lists and revokes keys; the secret is shown once."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from model.contract.durable import locked
from service.keys import main
from service.protection.keyring import Keyring
from service.protection.keys import read_keys
from service.protection.scope import Scope


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    main(arguments)
    return capsys.readouterr().out


def test_from_adding_to_revoking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "keys.json")
    more = ("--expires", "2100-01-01", "--name", "web", "--requests-per-s", "5", "--burst", "10")
    first = said(capsys, "add", "--file", file, "--scope", "rank", "--scope", "admin", *more).strip()
    second = said(capsys, "add", "--file", file, "--scope", "features").strip()
    key = Keyring(tmp_path / "keys.json").authenticate(f"Bearer {first}")
    assert (key.scopes, key.name, key.requests_per_s, key.burst) == ({Scope.RANK, Scope.ADMIN}, "web", 5, 10)
    listed = said(capsys, "list", "--file", file)
    assert listed.splitlines() == [
        f"{key.id}  admin,rank  until 2100-01-01T00:00+0000  5 requests/s  web",
        f"{second.split('_')[1]}  features  for ever  ",
    ]
    assert first not in listed and key.hash not in listed
    said(capsys, "revoke", "--file", file, key.id)
    assert key.id not in said(capsys, "list", "--file", file)


def test_who_adds_and_who_revokes_at_once_undo_nothing_of_each_other(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    main(["add", "--file", str(file), "--scope", "rank", "--name", "leaked"])
    [leaked] = read_keys(file)

    def started(*arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "service.keys", *arguments], stdout=subprocess.DEVNULL)

    with locked(file.with_name(".keys.json.lock")):  # so that all of them have begun before one may write
        adding = [started("add", "--file", str(file), "--scope", "rank", "--name", str(at)) for at in range(4)]
        revoking = started("revoke", "--file", str(file), leaked.id)
        deadline = time.monotonic() + 60
        while not all(map(_waits_for_a_lock, [*adding, revoking])):
            assert [one.poll() for one in [*adding, revoking]] == [None] * 5, "one wrote without the lock"
            assert time.monotonic() < deadline, "one does not ask for the lock"
            time.sleep(0.05)
    assert [one.wait(60) for one in [*adding, revoking]] == [0] * 5
    assert sorted(one.name for one in read_keys(file)) == ["0", "1", "2", "3"]


def _waits_for_a_lock(process: subprocess.Popen[bytes]) -> bool:
    waiting = Path("/proc/locks").read_text().splitlines()
    return any("->" in line and f" {process.pid} " in line for line in waiting)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["list", "--file", "none.json"], "none.json: expected a file of keys"),
        (["revoke", "--file", "none.json", "0"], "none.json: expected a file of keys"),
        (["add", "--file", "k.json", "--scope", "rank", "--burst", "5"], "--burst: expected `--requests-per-s`"),
        (["add", "--file", "k.json", "--scope", "rank", "--requests-per-s", "1", "--burst", "0"], "--burst: expected"),
        (["add", "--file", "k.json", "--scope", "everything"], "--scope: expected one of rank, features"),
        (
            ["add", "--file", "k.json", "--scope", "rank", "--expires", "soon"],
            "--expires: expected a day or an instant",
        ),
        (["add", "--file", "k.json", "--scope", "rank", "--expires", "2020-01-01"], "--expires: expected a day or"),
        ([], "required: command"),
    ],
)
def test_mistakes_are_told(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    said = capsys.readouterr().err
    assert stopped.value.code == 2 and told in said and said.count("\n") == 1
    assert not list(tmp_path.iterdir())
