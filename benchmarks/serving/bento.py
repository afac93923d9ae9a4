"""The same behind BentoML: bentoml serve benchmarks.serving.bento:Ranker."""

import os
from typing import Any

import bentoml

from benchmarks.serving.arms import WORKERS
from benchmarks.serving.eager import EagerRanker


@bentoml.service(workers=int(os.environ.get(WORKERS, "1")))
class Ranker:
    def __init__(self) -> None:
        self.ranker = EagerRanker.of_environment()

    @bentoml.api(route="/v1/rank")
    def rank(self, user: dict[str, Any], context: dict[str, str], candidates: list[Any]) -> dict[str, Any]:
        return self.ranker.rank(user, context, candidates)
