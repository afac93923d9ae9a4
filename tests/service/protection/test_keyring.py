"""Keyring: who is let in, and that the file may change meanwhile."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.errors import Unauthenticated
from service.protection import keyring
from service.protection.keyring import Keyring
from service.protection.keys import Presented, new_key, write_keys
from service.protection.scope import Scope

RANK = frozenset({Scope.RANK})


@pytest.fixture(autouse=True)
def looks_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "LOOK_EVERY_S", 0.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def bearer(presented: Presented) -> str:
    return f"Bearer {presented}"


def refusal(ring: Keyring, authorization: str | None) -> str:
    with pytest.raises(Unauthenticated) as told:
        ring.authenticate(authorization)
    return str(told.value)


def test_the_right_key_is_let_in(path: Path) -> None:
    key, presented = new_key(RANK, expires=datetime.now(UTC) + timedelta(hours=1))
    write_keys(path, (key,))
    ring = Keyring(path)
    assert ring.authenticate(bearer(presented)) == key == ring.authenticate(f"bearer  {presented} ")


def test_all_else_is_refused_and_an_unknown_id_as_a_wrong_secret_is(path: Path) -> None:
    key, presented = new_key(RANK)
    old, expired = new_key(RANK, expires=datetime.now(UTC) - timedelta(seconds=1))
    write_keys(path, (key, old))
    ring = Keyring(path)
    wrong_secret = refusal(ring, bearer(Presented(presented.id, expired.secret)))
    assert wrong_secret == refusal(ring, bearer(Presented("00000000", presented.secret)))
    assert wrong_secret == refusal(ring, "Bearer x") == refusal(ring, "Bearer " + "x" * 100_000)
    assert wrong_secret == refusal(ring, bearer(Presented("\xff", "\xfe")))
    assert refusal(ring, None) == refusal(ring, "Basic abc") == refusal(ring, str(presented)) != wrong_secret
    assert "expired" in refusal(ring, bearer(expired))
    # Only who has the secret learns that a key has expired.
    assert refusal(ring, bearer(Presented(expired.id, presented.secret))) == wrong_secret


def test_keys_are_rotated_while_it_runs(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    (old, old_presented), (new, new_presented) = new_key(RANK), new_key(RANK)
    write_keys(path, (old,))
    ring = Keyring(path)
    refusal(ring, bearer(new_presented))
    write_keys(path, (old, new))
    assert (ring.authenticate(bearer(old_presented)), ring.authenticate(bearer(new_presented))) == (old, new)
    write_keys(path, (new,))
    refusal(ring, bearer(old_presented))
    assert ring.authenticate(bearer(new_presented)) == new


@pytest.mark.parametrize("damage", [lambda path: path.write_text("{"), Path.unlink])
def test_a_broken_file_keeps_the_last_good_keys(path: Path, caplog: pytest.LogCaptureFixture, damage: "object") -> None:
    key, presented = new_key(RANK)
    write_keys(path, (key,))
    ring = Keyring(path)
    damage(path)  # type: ignore[operator]
    for _ in range(3):
        assert ring.authenticate(bearer(presented)) == key
    assert [one.message for one in caplog.records] == [caplog.messages[0]] and "kept the last good" in caplog.text
    write_keys(path, ())
    refusal(ring, bearer(presented))


def test_a_turned_link_is_noticed(tmp_path: Path, path: Path) -> None:
    """As Kubernetes changes a mounted secret."""
    made = [new_key(RANK) for _ in range(2)]
    for at, (key, _) in enumerate(made):
        write_keys(tmp_path / str(at), (key,))
    path.symlink_to(tmp_path / "0")
    ring = Keyring(path)
    assert ring.authenticate(bearer(made[0][1]))
    (tmp_path / "link").symlink_to(tmp_path / "1")
    (tmp_path / "link").rename(path)
    assert ring.authenticate(bearer(made[1][1]))
