"""Problem: an error as `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from fastapi import Response
from pydantic import BaseModel
from starlette.types import Scope

from model.contract.answer import Problem, WrongPart
from model.contract.mistakes import MOST_MISTAKES, Mistake

MEDIA_TYPE = "application/problem+json"
INFERENCE = "/v2"  # below it errors have the shape of the Open Inference Protocol
LONGEST_TEXT = 2000  # an answer must not grow with whatever a client sent


class InferenceError(BaseModel):
    """An error as the Open Inference Protocol has it."""

    error: str


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """What all problems of one kind have in common; `name` ends up in `type`."""

    status: int
    name: str
    title: str

    @property
    def type(self) -> str:
        return f"urn:watchnext:problem:{self.name}"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which request it was."""

    path: str
    request_id: str

    @classmethod
    def of(cls, scope: Scope) -> Self:
        """The path as it came: decoded, a line break in it would forge a line of the log."""
        return cls(scope.get("raw_path", b"").decode("latin-1"), scope["state"]["trace"].request_id)

    @property
    def by_inference_protocol(self) -> bool:
        return self.path == INFERENCE or self.path.startswith(f"{INFERENCE}/")


def wrong_parts(mistakes: Sequence[Mistake]) -> list[WrongPart]:
    return [
        WrongPart(
            where=one.where[:LONGEST_TEXT],
            expected=one.expected[:LONGEST_TEXT],
            found=one.found[:LONGEST_TEXT],
            nearest=one.nearest,
        )
        for one in mistakes[:MOST_MISTAKES]
    ]


def problem_response(
    kind: ProblemKind,
    asked: Asked,
    detail: str,
    errors: Sequence[WrongPart] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    if asked.by_inference_protocol:
        told = InferenceError(error=f"{kind.title}: {detail[:LONGEST_TEXT]}")
        return Response(told.model_dump_json(), kind.status, dict(headers or {}), "application/json")
    problem = Problem(
        type=kind.type,
        title=kind.title,
        status=kind.status,
        detail=detail[:LONGEST_TEXT],
        instance=asked.path,
        request_id=asked.request_id,
        errors=list(errors),
    )
    return Response(problem.model_dump_json(exclude_none=True), kind.status, dict(headers or {}), MEDIA_TYPE)
