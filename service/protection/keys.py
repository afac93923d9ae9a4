"""API keys as a file has them: public ids, scopes, limits, and salted hashes of the secrets, never a secret itself."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, ValidationError, field_validator

from model.contract.durable import locked, told_as_input_errors, write_text
from model.contract.mistakes import InputError, Mistake, Strict, mistake, of_validation
from service.protection.scope import Scope

PREFIX = "wn"  # by which scanners for leaked secrets know a key of ours
ID_BYTES, SECRET_BYTES, SALT_BYTES, HASH_BYTES = 4, 32, 16, 32


class Key(Strict):
    """One key; `requests_per_s` and `burst` stand over the service's own limits for keys."""

    id: str = Field(pattern=r"^[0-9a-f]{8}$")
    name: str = Field(default="", max_length=100)
    scopes: frozenset[Scope] = Field(min_length=1)
    salt: str = Field(pattern=r"^[0-9a-f]{32}$")
    hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    expires: AwareDatetime | None = None
    requests_per_s: Annotated[float, Field(gt=0)] | None = None
    burst: Annotated[int, Field(ge=1)] | None = None

    def is_proven_by(self, secret: str) -> bool:
        """In a time that does not depend on where a wrong secret differs."""
        return hmac.compare_digest(hashed(secret, self.salt), self.hash)


class Keys(Strict):
    """The file: JSON."""

    keys: tuple[Key, ...] = ()

    @field_validator("keys")
    @classmethod
    def _each_once(cls, keys: tuple[Key, ...]) -> tuple[Key, ...]:
        if len({one.id for one in keys}) < len(keys):
            raise ValueError("an `id` that no other key has")
        return keys


@dataclass(frozen=True, slots=True)
class Presented:
    """What a client sent, `wn_<id>_<secret>`: the id finds the key, the secret proves it."""

    id: str
    secret: str

    def __str__(self) -> str:
        return f"{PREFIX}_{self.id}_{self.secret}"

    @classmethod
    def parse(cls, text: str) -> "Presented | None":
        prefix, _, rest = text.partition("_")
        id_, _, secret = rest.partition("_")
        return cls(id_, secret) if prefix == PREFIX and secret else None


def hashed(secret: str, salt: str) -> str:
    """One round of salted BLAKE2b. Slow hashes (scrypt, Argon2) protect secrets that people choose and that a thief of
    the file could therefore guess; of 256 random bits nobody guesses any, and every request would pay for it.
    """
    return hashlib.blake2b(secret.encode(), digest_size=HASH_BYTES, salt=bytes.fromhex(salt)).hexdigest()


def new_key(scopes: frozenset[Scope], **more: Any) -> tuple[Key, Presented]:
    """A key, and what its owner presents; the latter is nowhere else. `more` are further fields of the key."""
    presented = Presented(secrets.token_hex(ID_BYTES), secrets.token_urlsafe(SECRET_BYTES))
    salt = secrets.token_hex(SALT_BYTES)
    key = Key(id=presented.id, scopes=scopes, salt=salt, hash=hashed(presented.secret, salt), **more)
    return key, presented


def read_keys(path: Path) -> tuple[Key, ...]:
    """Raises InputError, which quotes nothing of the hashes."""
    if not path.exists():
        raise mistake(str(path), "a file of keys (`watchnext-keys add` makes one)", "none")
    with told_as_input_errors(str(path)):
        document = path.read_bytes()
    try:
        return Keys.model_validate_json(document).keys
    except ValidationError as error:
        found = of_validation(error, Keys)
        hidden = [Mistake(f"{path}: {one.where}", one.expected, "something else", one.nearest) for one in found]
        raise InputError(*hidden) from None


def write_keys(path: Path, keys: tuple[Key, ...]) -> None:
    """Whole or not at all: a service may read it at any time."""
    with told_as_input_errors(str(path)):
        write_text(path, Keys(keys=keys).model_dump_json(indent=2, exclude_none=True) + "\n")


def change_keys(path: Path, change: Callable[[tuple[Key, ...]], tuple[Key, ...]]) -> None:
    """One process at a time: none undoes what another adds or revokes meanwhile."""
    with told_as_input_errors(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_name(f".{path.name}.lock")):
            write_keys(path, change(read_keys(path) if path.exists() else ()))


def without(keys: tuple[Key, ...], id_: str) -> tuple[Key, ...]:
    """Raises InputError where there is no such key."""
    left = tuple(one for one in keys if one.id != id_)
    if len(left) == len(keys):
        raise mistake("id", "one of `watchnext-keys list`", f"`{id_[:20]}`")
    return left
