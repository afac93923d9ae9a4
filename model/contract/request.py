"""RankRequest: one request as it comes over the wire, in golden requests, and from files."""

from typing import Any

from pydantic import Field, JsonValue

from model.contract.combination import Policy
from model.contract.mistakes import Strict

LONGEST_ID = 512
Id = Field(min_length=1, max_length=LONGEST_ID)
Features = dict[str, JsonValue]


class Interaction(Strict):
    """A video this user met before, and what came of it, by outcome."""

    video_id: str = Id
    outcomes: dict[str, float | bool | None] = {}


class User(Strict):
    """`history`, oldest first, replaces the stored one."""

    id: str | None = Field(default=None, min_length=1, max_length=LONGEST_ID)
    features: Features = {}
    history: list[Interaction] | None = Field(default=None, max_length=10_000)


class Query(Strict):
    """What is being watched."""

    video_id: str | None = Field(default=None, min_length=1, max_length=LONGEST_ID)
    features: Features = {}


class Candidate(Strict):
    """Inline features override stored ones."""

    id: str = Id
    features: Features = {}


class RankRequest(Strict):
    """The body of POST /v1/rank. Without `top_k` all candidates come back, without `policy` the bundle's first rules."""

    request_id: str | None = Field(default=None, min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")
    user: User = User()
    query: Query = Query()
    context: Features = {}
    candidates: list[str] | list[Candidate]
    top_k: int | None = Field(default=None, ge=1)
    policy: str | Policy | None = None
    explain: bool = False

    def model_post_init(self, _: Any) -> None:
        object.__setattr__(
            self, "candidates", [one if isinstance(one, Candidate) else Candidate(id=one) for one in self.candidates]
        )
