"""Channels: which version is served, to whom, and which one is to come back or to be tried."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

from model.contract.mistakes import mistake, quote
from model.contract.versions import NAME

SALT = b"watchnext-canary"  # no part of a version, so that a user stays on one side of every canary


class Channel(StrEnum):
    """`live` answers; `previous` was live before it; `canary` answers some of the users; `shadow` nobody."""

    LIVE = "live"
    PREVIOUS = "previous"
    CANARY = "canary"
    SHADOW = "shadow"


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a channel's file says. `percent` of users, of a canary only."""

    version: str
    percent: float | None = None

    def __str__(self) -> str:
        return self.version if self.percent is None else f"{self.version} {self.percent:g}"


def read_assignment(channel: Channel, content: bytes, where: str) -> Assignment:
    """Raises InputError."""
    version, *rest = content.decode("utf-8", errors="replace").strip().split(" ")
    if not NAME.fullmatch(version) or (rest and channel is not Channel.CANARY):
        raise mistake(where, "the name of a version", quote(content.decode("utf-8", errors="replace").strip()))
    return Assignment(version, _percent(" ".join(rest), where) if channel is Channel.CANARY else None)


def _percent(text: str, where: str) -> float:
    try:
        return checked_percent(float(text), where)
    except ValueError:  # InputError is one
        raise mistake(where, "a version and the percent of users, from 0 to 100", quote(text)) from None


def checked_percent(percent: float, where: str = "percent") -> float:
    """Raises InputError."""
    if not 0 <= percent <= 100:  # NaN is neither
        raise mistake(where, "a number from 0 to 100", quote(percent))
    return percent


def place_of(user_id: str) -> float:
    """Where a user stands between 0 and 100, evenly and for ever: canaries have those below their percent."""
    digest = blake2b(user_id.encode("utf-8", "surrogatepass"), digest_size=8, salt=SALT).digest()
    return int.from_bytes(digest) / 2**64 * 100
