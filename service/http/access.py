"""AccessLog: one line a request, its id in the answer, its trace noted, a problem where the service itself fails."""

import logging
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.problem import Asked, ProblemKind, problem_response
from service.telemetry.logs import FACTS
from service.telemetry.trace import Trace

logger = logging.getLogger(__name__)
FAILED = ProblemKind(500, "internal", "The service failed")
TRACEPARENT = b"traceparent"


class AccessLog:
    """Pure ASGI. `note` gets the trace of every request that has ended; it must be quick."""

    def __init__(self, app: ASGIApp, note: Callable[[Trace], object]) -> None:
        self.app, self.note = app, note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        traceparent = next((value.decode("latin-1") for name, value in scope["headers"] if name == TRACEPARENT), None)
        trace = Trace(scope["method"], traceparent=traceparent)
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
            trace.end()
            trace.route = _template(scope)
            self.note(trace)
            _log(trace, Asked.of(scope).path)


def _template(scope: Scope) -> str | None:
    """The whole path; of a router within a router the route itself has only its own part."""
    route = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    return getattr(route, "path", None)


def _log(trace: Trace, path: str) -> None:
    """Never a body or a header: they may hold what is nobody's business."""
    if not logger.isEnabledFor(logging.INFO):
        return
    ms, more = round(trace.seconds * 1000, 3), dict(trace.facts())
    told = " ".join(f"{name}={value}" for name, value in more.items())
    facts = {"method": trace.method, "path": path, "status": trace.status, "duration_ms": ms, **more}
    logger.info("%s %s %s %.1fms %s", trace.method, path, trace.status, ms, told, extra={FACTS: facts})
