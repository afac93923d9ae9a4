"""The client: what it sends, what it makes of answers, when it asks again; the same with and without asyncio."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from model.client import LONGEST_WAIT_S, AsyncClient, Client, Connection, ServiceError
from model.contract.answer import RankResponse
from model.contract.request import Candidate, RankRequest

KEY = "wn_secret"
CONNECTION = Connection("http://service/", KEY, timeout_s=1.5, retries=2)
RANKED = {
    "request_id": "r-1",
    "version": "v-one",
    "policy": "balanced",
    "ranking": [{"id": "v2", "score": 0.5, "predictions": {"click": 0.25, "like": None}}],
    "warnings": [{"kind": "one_of_tomorrow", "ids": ["u1"]}],
    "of_tomorrow": 1,
}
PROBLEM = {
    "type": "urn:watchnext:problem:invalid-request",
    "title": "The request cannot be answered as it is",
    "status": 422,
    "detail": "candidates: expected at least one candidate, found none",
    "instance": "/v1/rank",
    "request_id": "r-1",
    "errors": [{"where": "candidates", "expected": "at least one candidate", "found": "none"}],
}


class Service:
    """Answers in turn, the last one for ever, and keeps what it was asked."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers, self.asked = list(answers), list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def ask(service: Service, name: str, *given: Any, connection: Connection = CONNECTION) -> Any:
    with Client(connection, httpx.MockTransport(service)) as client:
        return getattr(client, name)(*given)


def ask_async(service: Service, name: str, *given: Any, connection: Connection = CONNECTION) -> Any:
    async def run() -> Any:
        async with AsyncClient(connection, httpx.MockTransport(service)) as client:
            return await getattr(client, name)(*given)

    return asyncio.run(run())


Ask = Callable[..., Any]
both = pytest.mark.parametrize("ask", [ask, ask_async])


def busy(retry_after: str = "0") -> httpx.Response:
    return httpx.Response(503, json=PROBLEM | {"status": 503}, headers={"retry-after": retry_after})


@both
def test_a_ranking(ask: Ask) -> None:
    service = Service(httpx.Response(200, json=RANKED))
    request = RankRequest(candidates=["v1", Candidate(id="v2", features={"tags": None})], top_k=1)
    answer = ask(service, "rank", request)
    assert isinstance(answer, RankResponse)
    assert (answer.ranking[0].predictions, answer.warnings[0].kind) == (
        {"click": 0.25, "like": None},
        "one_of_tomorrow",
    )
    [asked] = service.asked
    assert (asked.method, asked.url.path, asked.headers["content-type"]) == ("POST", "/v1/rank", "application/json")
    # Nothing that was not said, for the service has its own defaults; but a null says something.
    assert json.loads(asked.content) == {"candidates": ["v1", {"id": "v2", "features": {"tags": None}}], "top_k": 1}
    assert (asked.headers["authorization"], asked.headers["x-request-timeout-ms"]) == (f"Bearer {KEY}", "1500")
    assert asked.extensions["timeout"] == dict.fromkeys(("connect", "read", "write", "pool"), 1.5)


@both
def test_a_request_may_be_a_mapping_and_need_no_key(ask: Ask) -> None:
    service = Service(httpx.Response(200, json=RANKED))
    ask(service, "rank", {"candidates": ["v1"]}, connection=Connection("http://service"))
    assert json.loads(service.asked[0].content) == {"candidates": ["v1"]}
    assert "authorization" not in service.asked[0].headers


@both
@pytest.mark.parametrize(("name", "path"), [("put_user", "users"), ("put_video", "videos")])
def test_features_are_put_under_an_id_of_any_kind(ask: Ask, name: str, path: str) -> None:
    service = Service(httpx.Response(204))
    assert ask(service, name, "a/b c?", {"age": 31, "tags": ["x"]}) is None
    [asked] = service.asked
    assert (asked.method, asked.url.raw_path.decode()) == ("PUT", f"/v1/features/{path}/a%2Fb%20c%3F")
    assert json.loads(asked.content) == {"features": {"age": 31, "tags": ["x"]}}


@both
def test_a_refusal_carries_the_problem_and_is_not_asked_again(ask: Ask) -> None:
    service = Service(httpx.Response(422, json=PROBLEM))
    with pytest.raises(ServiceError, match=r"^422 The request .*: candidates: expected at least one") as told:
        ask(service, "rank", {})
    problem = told.value.problem
    assert (problem.status, problem.type, problem.errors[0].where) == (422, PROBLEM["type"], "candidates")
    assert len(service.asked) == 1


@both
@pytest.mark.parametrize("status", [200, 502])
def test_an_answer_of_somebody_else_is_told_as_it_is(ask: Ask, status: int) -> None:
    with pytest.raises(ServiceError) as told:
        ask(Service(httpx.Response(status, text="<html>hello")), "model")
    problem = told.value.problem
    assert (problem.status, problem.type, problem.detail) == (status, "about:blank", "<html>hello")


@both
def test_only_503_is_asked_again(ask: Ask) -> None:
    service = Service(busy(), busy(), httpx.Response(200, json=RANKED))
    assert ask(service, "rank", {"candidates": ["v1"]}).version == "v-one"
    assert len(service.asked) == 3
    assert len({one.content for one in service.asked}) == 1


@both
def test_it_gives_up_after_so_many_attempts(ask: Ask) -> None:
    service = Service(busy())
    with pytest.raises(ServiceError) as told:
        ask(service, "ready")
    assert (told.value.problem.status, len(service.asked)) == (503, 3)


@both
def test_nobody_there(ask: Ask) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(httpx.TransportError):
        ask(refuse, "ready")


def waits(answers: Sequence[httpx.Response]) -> list[float]:
    """The seconds that the flow of a request asks to wait between these answers."""
    flow = CONNECTION.attempts(httpx.Request("GET", "http://service/readyz"))
    found = []
    next(flow)
    for answer in answers:
        step = flow.send(answer)
        assert isinstance(step, float)
        found.append(step)
        next(flow)
    return found


def test_waits_double_at_most_are_random_and_heed_retry_after_up_to_a_bound() -> None:
    drawn = [waits([busy(), busy()]) for _ in range(50)]
    assert len({first for first, _ in drawn}) > 40
    assert 0.05 < max(first for first, _ in drawn) <= 0.1 < max(second for _, second in drawn) <= 0.2
    assert all(2 <= one <= 2.2 for one in waits([busy("2"), busy("2")]))
    assert waits([busy("86400")]) == [LONGEST_WAIT_S]
    assert waits([busy("Sat, 21 Nov 2026 12:00:00 GMT")])[0] <= 0.1


def test_waiting_really_waits() -> None:
    began = time.monotonic()
    ask(Service(busy("1"), httpx.Response(200, json=RANKED)), "rank", {})
    assert time.monotonic() - began >= 1


def test_the_key_is_not_shown() -> None:
    assert KEY not in repr(CONNECTION)
