"""Formats: how a request is read and a ranking written, by media type."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from model.contract.bundle import Manifest
from model.contract.request import Asked, RankRequest
from service.http.answers import ranking_json
from service.http.body import parse
from service.http.media import MediaType, UnsupportedBody
from service.ranking.order import Ranking
from service.telemetry.trace import Trace


@dataclass(frozen=True, slots=True)
class Format:
    read: Callable[[bytes, Trace], Asked]
    write: Callable[[Ranking, str, Manifest], bytes]


def _read_json(body: bytes, trace: Trace) -> Asked:
    return parse(RankRequest, body, trace)


# Whoever sends no Arrow shall not wait for pyarrow to be loaded, nor need it.
def _read_arrow(body: bytes, trace: Trace) -> Asked:
    with _told_where_missing():
        from service.http.arrow import parse_arrow
    return parse_arrow(body, trace)


def _write_arrow(ranking: Ranking, request_id: str, manifest: Manifest) -> bytes:
    with _told_where_missing():
        from service.http.arrow import ranking_arrow
    return ranking_arrow(ranking, request_id, manifest)


@contextmanager
def _told_where_missing() -> Iterator[None]:
    try:
        yield
    except ImportError:
        raise UnsupportedBody(f"{MediaType.ARROW} needs pyarrow (the extra `arrow`), which is not here.") from None


FORMATS: Mapping[MediaType, Format] = {
    MediaType.JSON: Format(_read_json, ranking_json),
    MediaType.ARROW: Format(_read_arrow, _write_arrow),
}
