"""RankRequest: one request as it comes over the wire, in golden requests, and from files."""

from typing import Annotated

from pydantic import BeforeValidator, Discriminator, Field, JsonValue, Tag

from model.contract.combination import Policy
from model.contract.mistakes import Strict

LONGEST_ID = 512
Id = Field(min_length=1, max_length=LONGEST_ID)
Features = dict[str, JsonValue]


def _number(value: object) -> object:
    return float(value) if isinstance(value, bool) else value


def _candidates_are(value: object) -> str:
    # Ids alone are the usual case and the largest: they are validated without a look at each.
    return "list[id]" if isinstance(value, list) and all(isinstance(one, str) for one in value) else "list[any]"


def _candidate_is(value: object) -> str:
    return "candidate[object]" if isinstance(value, dict | Candidate) else "candidate[id]"


def _policy_is(value: object) -> str:
    return "policy[rules]" if isinstance(value, dict | Policy) else "policy[name]"


# Which member of a union is meant is told by one look, so that a mistake is told once, and not once a member.
Outcome = Annotated[float, BeforeValidator(_number, json_schema_input_type=float | bool)]
PolicyChoice = Annotated[
    Annotated[str, Tag("policy[name]")] | Annotated[Policy, Tag("policy[rules]")], Discriminator(_policy_is)
]


class Interaction(Strict):
    """A video this user met before, and what came of it, by outcome."""

    video_id: str = Id
    outcomes: dict[str, Outcome | None] = Field(default_factory=dict)


class User(Strict):
    """`history`, oldest first, replaces the stored one."""

    id: str | None = Field(default=None, min_length=1, max_length=LONGEST_ID)
    features: Features = Field(default_factory=dict)
    history: list[Interaction] | None = Field(default=None, max_length=10_000)


class Query(Strict):
    """What is being watched."""

    video_id: str | None = Field(default=None, min_length=1, max_length=LONGEST_ID)
    features: Features = Field(default_factory=dict)


class Candidate(Strict):
    """Inline features override stored ones."""

    id: str = Id
    features: Features = Field(default_factory=dict)


AnyCandidate = Annotated[
    Annotated[str, Id, Tag("candidate[id]")] | Annotated[Candidate, Tag("candidate[object]")],
    Discriminator(_candidate_is),
]
Candidates = Annotated[
    Annotated[list[Annotated[str, Id]], Tag("list[id]")] | Annotated[list[AnyCandidate], Tag("list[any]")],
    Discriminator(_candidates_are),
]


class RankRequest(Strict):
    """The body of POST /v1/rank. Without `top_k` all candidates come back; the default policy is the bundle's first.

    Candidates are ids, objects with features, or some of each.
    """

    request_id: str | None = Field(default=None, min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")
    user: User = User()
    query: Query = Query()
    context: Features = Field(default_factory=dict)
    candidates: Candidates
    top_k: int | None = Field(default=None, ge=1)
    policy: PolicyChoice | None = None
    explain: bool = False

    @property
    def ids(self) -> list[str]:
        return [one if isinstance(one, str) else one.id for one in self.candidates]

    @property
    def inline(self) -> dict[int, Features]:
        """The features that candidates bring along, by the candidate's position."""
        given = ((at, one.features) for at, one in enumerate(self.candidates) if isinstance(one, Candidate))
        return {at: features for at, features in given if features}
