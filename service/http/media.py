"""Media types: what a body may be, and what an answer may be asked to be."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from fastapi import Request


class MediaType(StrEnum):
    JSON = "application/json"
    ARROW = "application/vnd.apache.arrow.stream"


class UnsupportedBody(Exception):
    """A media type or an encoding that is not ours."""


class MalformedBody(Exception):
    """Not a JSON document."""


class MalformedArrow(Exception):
    """Not an Arrow stream, or not a whole one."""


@dataclass(frozen=True, slots=True)
class Media:
    """What was sent, and what is wanted: Arrow where `Accept` names it, and JSON otherwise."""

    sent: MediaType
    wanted: MediaType

    @classmethod
    def of(cls, request: Request) -> Self:
        """Raises UnsupportedBody; a body without a media type is taken for JSON."""
        named = map(_bare, request.headers.get("accept", "").split(","))
        return cls(_sent(request), MediaType.ARROW if MediaType.ARROW in named else MediaType.JSON)


def _sent(request: Request) -> MediaType:
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise UnsupportedBody(f"Expected a body without Content-Encoding, found {coding[:100] or 'an empty one'}.")
    media_type = _bare(request.headers.get("content-type", MediaType.JSON))
    if media_type in (MediaType.JSON, "text/json") or media_type.endswith("+json"):
        return MediaType.JSON
    if media_type == MediaType.ARROW:
        return MediaType.ARROW
    found = media_type[:100] or "an empty one"
    raise UnsupportedBody(f"Expected Content-Type {MediaType.JSON} or {MediaType.ARROW}, found {found}.")


def _bare(media_type: str) -> str:
    """Without its parameters."""
    return media_type.partition(";")[0].strip().lower()
