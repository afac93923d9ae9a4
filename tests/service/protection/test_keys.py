"""Keys: the file holds nothing that could be presented, and is refused where it is not whole."""

import json
from pathlib import Path
from typing import Any

import pytest

from model.contract.mistakes import InputError
from service.protection.keys import Presented, new_key, read_keys, without, write_keys
from service.protection.scope import Scope

RANK = frozenset({Scope.RANK})


def test_a_key_survives_its_file_and_its_secret_is_not_in_it(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made = [new_key(RANK, name=str(at), burst=at + 1) for at in range(3)]
    write_keys(path, tuple(key for key, _ in made))
    assert read_keys(path) == tuple(key for key, _ in made)
    for key, presented in made:
        assert key.is_proven_by(presented.secret) and presented.secret not in path.read_text()
        assert Presented.parse(str(presented)) == presented


def test_a_secret_proves_its_own_key_alone() -> None:
    (one, first), (other, second) = new_key(RANK), new_key(RANK)
    assert not one.is_proven_by(second.secret) and not other.is_proven_by(first.secret)
    assert not one.is_proven_by(first.secret + "x") and not one.is_proven_by(first.secret[:-1])


def test_equal_secrets_have_different_hashes() -> None:
    key, presented = new_key(RANK)
    other = key.model_copy(update={"salt": "0" * 32})
    assert not other.is_proven_by(presented.secret)


@pytest.mark.parametrize("text", ["", "wn", "wn_", "wn_1", "wn_1_", "xx_1_2", "_", "wn__"])
def test_what_is_no_key(text: str) -> None:
    assert Presented.parse(text) is None


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        ({"hash": "00"}, "keys[0].hash"),
        ({"salt": "zz" * 16}, "keys[0].salt"),
        ({"scopes": []}, "keys[0].scopes"),
        ({"scopes": ["everything"]}, "keys[0].scopes"),
        ({"expires": "2027-01-01T00:00:00"}, "keys[0].expires"),
        ({"secret": "x"}, "keys[0].secret"),
        ({"requests_per_s": 0}, "keys[0].requests_per_s"),
    ],
)
def test_a_damaged_file_is_told_without_its_content(tmp_path: Path, damage: dict[str, Any], where: str) -> None:
    path = tmp_path / "keys.json"
    write_keys(path, (new_key(RANK)[0],))
    document = json.loads(path.read_text())
    document["keys"][0] |= damage
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"keys\.json: keys\[0\]") as told:
        read_keys(path)
    assert where in str(told.value)
    assert document["keys"][0]["hash"] not in str(told.value)


def test_an_id_twice_and_no_file_are_told(tmp_path: Path) -> None:
    key, _ = new_key(RANK)
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [json.loads(key.model_dump_json(exclude_none=True))] * 2}))
    with pytest.raises(InputError, match="an `id` that no other key has"):
        read_keys(path)
    with pytest.raises(InputError, match="expected a file of keys"):
        read_keys(tmp_path / "none.json")


def test_taking_one_out() -> None:
    keys = tuple(new_key(RANK)[0] for _ in range(2))
    assert without(keys, keys[0].id) == keys[1:]
    with pytest.raises(InputError):
        without(keys, "00000000")
