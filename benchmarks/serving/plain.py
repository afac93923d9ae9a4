"""A plain FastAPI service: uvicorn --factory benchmarks.serving.plain:app."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.serving.eager import EagerRanker


class Request(BaseModel):
    user: dict[str, Any]
    context: dict[str, str]
    candidates: list[str | dict[str, Any]]


def app() -> FastAPI:
    ranker, made = EagerRanker.of_environment(), FastAPI()

    @made.post("/v1/rank")
    def rank(request: Request) -> dict[str, Any]:
        return ranker.rank(request.user, request.context, request.candidates)

    @made.get("/readyz")
    def ready() -> str:
        return "ready"

    return made
