"""Keyring: the keys of a file, looked at again while it changes."""

import logging
import time
from datetime import UTC, datetime
from pathlib import Path

from model.contract.mistakes import InputError
from service.errors import Unauthenticated
from service.protection.keys import Key, Presented, hashed, read_keys

logger = logging.getLogger(__name__)
LOOK_EVERY_S = 1.0
BEARER = "bearer "
LONGEST_HEADER = 200  # a key has 55 characters
NOBODYS_SALT = "0" * 32
MISSING = "Expected an API key: Authorization: Bearer wn_..."
WRONG = "Expected a valid API key, found one that is not known."
EXPIRED = "Expected a valid API key, found one that has expired."


class Keyring:
    """Raises InputError at first where the file cannot be read; later the last good keys stay, and the log says why."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = self._look()
        self._keys = {one.id: one for one in read_keys(path)}
        self._looked = time.monotonic()

    def authenticate(self, authorization: str | None) -> Key:
        """The key of an `Authorization` header; raises Unauthenticated. An unknown id and a wrong secret take the same
        time and have the same answer, so that ids cannot be searched for.
        """
        self._follow()
        if authorization is None or not authorization[: len(BEARER)].lower() == BEARER:
            raise Unauthenticated(MISSING, is_given=False)
        presented = Presented.parse(authorization[len(BEARER) : LONGEST_HEADER].strip())
        key = self._keys.get(presented.id) if presented else None
        if key is None:
            hashed(authorization[:LONGEST_HEADER], NOBODYS_SALT)
            raise Unauthenticated(WRONG)
        assert presented is not None
        if not key.is_proven_by(presented.secret):
            raise Unauthenticated(WRONG)
        if key.expires is not None and key.expires <= datetime.now(UTC):
            raise Unauthenticated(EXPIRED)
        return key

    def _follow(self) -> None:
        """Read the file again if it is another one; asked often, looks seldom."""
        now = time.monotonic()
        if now - self._looked < LOOK_EVERY_S:
            return
        self._looked = now
        stamp = self._look()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._keys = {one.id: one for one in read_keys(self._path)}
        except InputError as error:
            logger.warning("kept the last good API keys: %s", "; ".join(map(str, error.mistakes)))
        else:
            logger.info("read %d API keys", len(self._keys))

    def _look(self) -> tuple[int, ...] | None:
        """Changes when the file does, also where a link to it is turned to another (as Kubernetes does)."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
