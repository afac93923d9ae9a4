"""AccessLog: one plain line a request, its id in the answer, and a problem where the service itself fails."""

import logging
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.problem import Asked, ProblemKind, problem_response

logger = logging.getLogger(__name__)
FAILED = ProblemKind(500, "internal", "The service failed")


@dataclass(slots=True)
class Trace:
    """What becomes known of a request while it is answered; `request.state.trace`."""

    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    status: int | None = None
    num_candidates: int | None = None
    version: str | None = None
    num_ignored: int = 0  # values in the feature store that the version cannot read

    def facts(self) -> Iterator[str]:
        if self.num_candidates is not None:
            yield f"candidates={self.num_candidates}"
        if self.version is not None:
            yield f"version={self.version}"
        if self.num_ignored:
            yield f"ignored_features={self.num_ignored}"
        yield f"request_id={self.request_id}"


class AccessLog:
    """Pure ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        trace, began = Trace(), time.perf_counter()
        scope.setdefault("state", {})["trace"] = trace

        async def send_traced(message: Message) -> None:
            if message["type"] == "http.response.start":
                trace.status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = trace.request_id
            await send(message)

        try:
            await self.app(scope, receive, send_traced)
        except ClientDisconnect:
            pass  # nobody is left to be told
        except Exception:
            logger.exception("failed at request_id=%s", trace.request_id)
            if trace.status is None:
                answer = problem_response(FAILED, Asked.of(scope), "Its log says why.")
                await answer(scope, receive, send_traced)
        finally:
            milliseconds = (time.perf_counter() - began) * 1000
            facts = " ".join(trace.facts())
            logger.info("%s %s %s %.1fms %s", scope["method"], Asked.of(scope).path, trace.status, milliseconds, facts)
