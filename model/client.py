"""A typed client of the ranking service: the same flow of requests, answers and waits, run with and without asyncio."""

import asyncio
import random
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
import orjson
from pydantic import BaseModel, JsonValue, ValidationError

from model.contract.answer import ModelResponse, Problem, RankResponse, Ready
from model.contract.request import RankRequest

FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 5.0
Answer = TypeVar("Answer", bound=BaseModel)
Result = TypeVar("Result")
# It yields requests, for which it is sent their responses, and seconds to wait.
Flow = Generator[httpx.Request | float, httpx.Response | None, Result]


class ServiceError(Exception):
    """The service has answered that it will not; `problem` says what it told. Of an answer that is no problem of ours,
    as a proxy between may send one, it has the status and the text.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}")
        self.problem = problem

    @classmethod
    def of(cls, response: httpx.Response) -> Self:
        try:
            return cls(Problem.model_validate_json(response.content))
        except ValidationError:
            title, request_id = response.reason_phrase, response.headers.get("x-request-id", "")
            told = {"detail": response.text[:1000], "instance": response.url.path, "request_id": request_id}
            return cls(Problem(type="about:blank", title=title, status=response.status_code, **told))


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the service is and how to ask it. `timeout_s` is that of each attempt, which the service is told; an answer
    of 503 is asked for again up to `retries` times, after waits that double and are drawn at random (full jitter), and
    not before `Retry-After`, up to 5 seconds.
    """

    url: str
    api_key: str | None = field(default=None, repr=False)
    timeout_s: float = 2.0
    retries: int = 2

    def options(self) -> dict[str, Any]:
        """Of an httpx client."""
        headers = {"X-Request-Timeout-Ms": str(max(1, int(self.timeout_s * 1000)))}
        if self.api_key is not None:
            headers["Authorization"] = f"Bearer {self.api_key}"
        return {"base_url": self.url, "timeout": self.timeout_s, "headers": headers}

    def attempts(self, request: httpx.Request) -> Flow[httpx.Response]:
        """To the first answer that is not 503, or the last. Raises ServiceError."""
        attempt = 0
        while True:
            response = yield request
            assert response is not None
            if response.is_success:
                return response
            if response.status_code != 503 or attempt == self.retries:
                raise ServiceError.of(response)
            yield _wait_s(response, attempt)
            attempt += 1


def _wait_s(response: httpx.Response, attempt: int) -> float:
    drawn = random.uniform(0, min(FIRST_WAIT_S * 2**attempt, LONGEST_WAIT_S))
    told = response.headers.get("retry-after", "")  # a date is no answer of ours
    return min((float(told) if told.isascii() and told.isdigit() else 0.0) + drawn, LONGEST_WAIT_S)


class Calls:
    """What can be asked of the service, as flows."""

    def __init__(self, connection: Connection, http: httpx.Client | httpx.AsyncClient) -> None:
        self._connection, self._http = connection, http

    def rank(self, request: RankRequest | Mapping[str, Any]) -> Flow[RankResponse]:
        given = request.model_dump(mode="json", exclude_unset=True) if isinstance(request, RankRequest) else request
        return self._ask(RankResponse, "POST", "/v1/rank", given)

    def model(self) -> Flow[ModelResponse]:
        return self._ask(ModelResponse, "GET", "/v1/model")

    def ready(self) -> Flow[Ready]:
        return self._ask(Ready, "GET", "/readyz")

    def put(self, kind: str, name: str, features: Mapping[str, JsonValue]) -> Flow[None]:
        path = f"/v1/features/{kind}/{quote(name, safe='')}"
        yield from self._connection.attempts(self._request("PUT", path, {"features": features}))

    def _ask(self, answer: type[Answer], method: str, path: str, body: Mapping[str, Any] | None = None) -> Flow[Answer]:
        response = yield from self._connection.attempts(self._request(method, path, body))
        try:
            return answer.model_validate_json(response.content)
        except ValidationError:
            raise ServiceError.of(response) from None  # somebody else's answer

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Request:
        content = None if body is None else orjson.dumps(dict(body))
        return self._http.build_request(method, path, content=content, headers={"Content-Type": "application/json"})


class Client:
    """Safe to use from several threads. Calls raise ServiceError where the service refuses, and httpx.TransportError
    where nobody answers.
    """

    def __init__(self, connection: Connection, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(**connection.options(), transport=transport)
        self._calls = Calls(connection, self._http)

    def rank(self, request: RankRequest | Mapping[str, Any]) -> RankResponse:
        return self._run(self._calls.rank(request))

    def model(self) -> ModelResponse:
        return self._run(self._calls.model())

    def ready(self) -> Ready:
        return self._run(self._calls.ready())

    def put_user(self, user: str, features: Mapping[str, JsonValue]) -> None:
        self._run(self._calls.put("users", user, features))

    def put_video(self, video: str, features: Mapping[str, JsonValue]) -> None:
        self._run(self._calls.put("videos", video, features))

    def _run(self, flow: Flow[Result]) -> Result:
        response: httpx.Response | None = None
        try:
            while True:
                step = flow.send(response)
                if isinstance(step, httpx.Request):
                    response = self._http.send(step)
                else:
                    response = None
                    time.sleep(step)
        except StopIteration as end:
            return end.value

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()


class AsyncClient:
    """As Client."""

    def __init__(self, connection: Connection, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._http = httpx.AsyncClient(**connection.options(), transport=transport)
        self._calls = Calls(connection, self._http)

    async def rank(self, request: RankRequest | Mapping[str, Any]) -> RankResponse:
        return await self._run(self._calls.rank(request))

    async def model(self) -> ModelResponse:
        return await self._run(self._calls.model())

    async def ready(self) -> Ready:
        return await self._run(self._calls.ready())

    async def put_user(self, user: str, features: Mapping[str, JsonValue]) -> None:
        await self._run(self._calls.put("users", user, features))

    async def put_video(self, video: str, features: Mapping[str, JsonValue]) -> None:
        await self._run(self._calls.put("videos", video, features))

    async def _run(self, flow: Flow[Result]) -> Result:
        response: httpx.Response | None = None
        try:
            while True:
                step = flow.send(response)
                if isinstance(step, httpx.Request):
                    response = await self._http.send(step)
                else:
                    response = None
                    await asyncio.sleep(step)
        except StopIteration as end:
            return end.value

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._http.aclose()
