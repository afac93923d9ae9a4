"""parse(): a request's own id is kept whenever it is valid."""

import pytest

from model.contract.mistakes import InputError
from model.contract.request import RankRequest
from service.http.body import parse
from service.http.media import MalformedBody
from service.telemetry.trace import Trace


def test_a_request_without_an_id_keeps_the_one_made_for_it() -> None:
    trace = Trace()
    made = trace.request_id
    request = parse(RankRequest, b'{"candidates": ["v1"]}', trace)
    assert request.ids == ["v1"] and trace.request_id == made
    assert len({Trace().request_id for _ in range(10)}) == 10


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'{"request_id": "r-1", "candidates": ["v1"]}', True),
        (b'{"request_id": "r-1", "candidates": 5}', True),
        (b'{"request_id": "r 1", "candidates": 5}', False),
        (b'{"request_id": 7, "candidates": ["v1"]}', False),
        (b"[7]", False),
    ],
)
def test_a_valid_id_is_kept_even_if_the_rest_is_wrong(body: bytes, kept: bool) -> None:
    trace = Trace()
    try:
        parse(RankRequest, body, trace)
    except InputError as error:
        assert error.mistakes
    assert (trace.request_id == "r-1") is kept


def test_what_is_not_json_is_told_with_its_place() -> None:
    with pytest.raises(MalformedBody, match=r"EOF while parsing .* at line 1 column 5"):
        parse(RankRequest, b'{"a":', Trace())


def test_deep_nesting_is_refused_by_the_parser() -> None:
    def nested(levels: int) -> bytes:
        return b'{"candidates": ["v1"], "context": {"hour": %s}}' % (b"[" * levels + b"]" * levels)

    assert parse(RankRequest, nested(150), Trace()).ids == ["v1"]  # what is wrong in it is said later
    for levels in (250, 100_000):
        with pytest.raises(MalformedBody, match="recursion limit exceeded"):
            parse(RankRequest, nested(levels), Trace())
