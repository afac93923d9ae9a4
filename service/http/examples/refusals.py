"""Refusals: how any route may answer what it does not do."""

from model.contract.mistakes import InputError, Mistake
from service.errors import DeadlinePassed, Forbidden, NotReady, Overloaded, TooManyRequests, Unauthenticated
from service.http.body_limit import BodyTooLarge, BodyTooSlow
from service.http.examples.shapes import Answers, either, problem
from service.http.media import MalformedBody, UnsupportedBody
from service.settings import Settings

MAX_CANDIDATES, MAX_BODY_BYTES = (Settings.model_fields[name].default for name in ("max_candidates", "max_body_bytes"))
REQUEST_TIMEOUT_S = Settings.model_fields["request_timeout_ms"].default / 1000
WRONG_NAME = Mistake(
    "candidates[3].features.durations",
    "a feature of the candidate (`duration_s`, `tags`)",
    "`durations`",
    nearest="duration_s",
)
MALFORMED = problem(MalformedBody, "Expected a JSON document, found: EOF while parsing a value at line 1 column 15.")
TOO_LARGE = problem(BodyTooLarge, str(BodyTooLarge(MAX_BODY_BYTES)))
UNSUPPORTED = problem(
    UnsupportedBody, "Expected Content-Type application/json or application/vnd.apache.arrow.stream, found text/csv."
)
INVALID = problem(InputError, str(WRONG_NAME), [WRONG_NAME])
NOT_READY = problem(
    NotReady, "registry: expected a registry with a live version (`watchnext train` publishes one), found none"
)
TOO_SLOW = problem(BodyTooSlow, str(BodyTooSlow(REQUEST_TIMEOUT_S)))
OVERLOADED = problem(Overloaded, "32 requests wait already, as many as may.")
NOT_READY_OR_OVERLOADED = either(NOT_READY, OVERLOADED)
TOO_LATE = problem(DeadlinePassed, "The request's time was over while it waited for its turn.")
# Of every route whose work is admitted.
ADMITTED: Answers = {408: TOO_SLOW, 413: TOO_LARGE, 503: NOT_READY_OR_OVERLOADED, 504: TOO_LATE}
# Of every route that needs a scope.
REFUSED = {
    401: problem(Unauthenticated, "Expected a valid API key, found one that is not known."),
    403: problem(Forbidden, "Expected a key with the scope `admin`, found one with `rank`."),
    429: problem(TooManyRequests, "The key's limit is 100 requests a second, 50 at once."),
}
