"""RankRequest: one request as it comes over the wire, in golden requests, and from files."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    JsonValue,
    Tag,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from model.contract.combination import Policy
from model.contract.mistakes import IN_BULK, Strict

LONGEST_ID = 512
Id = Field(min_length=1, max_length=LONGEST_ID)
Features = dict[str, JsonValue]


def _number(value: object) -> object:
    return float(value) if isinstance(value, bool) else value


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


class AllAlike:
    """Lists of ids alone, or of objects alone, are validated in bulk, and not with a look at what each item is. What is
    neither is validated as the list of either that it is declared to be, whose mistakes are the ones to tell.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        alike = [
            (core_schema.list_schema(handler.generate_schema(item), fail_fast=True), f"{IN_BULK}[{name}]")
            for item, name in ((Annotated[str, Id], "id"), (Candidate, "object"))
        ]
        return core_schema.union_schema([*alike, (handler(source), "list[any]")], mode="left_to_right")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema["choices"][-1][0])


@dataclass(frozen=True, slots=True)
class InlineColumn:
    """The values of one feature, of the candidates at `rows`, which rise."""

    rows: NDArray[np.intp]
    values: Sequence[Any]


class Asked(Strict, ABC):
    """All of a request but its candidates. Without `top_k` all candidates come back; the default policy is the bundle's
    first.
    """

    # Ids seldom come twice: to look for each among those of before takes longer than to make it anew.
    model_config = ConfigDict(cache_strings="keys")

    request_id: str | None = Field(default=None, min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")
    user: User = Field(default_factory=User)  # made anew: to copy one takes five times as long
    query: Query = Field(default_factory=Query)
    context: Features = Field(default_factory=dict)
    top_k: int | None = Field(default=None, ge=1)
    policy: PolicyChoice | None = None
    explain: bool = False

    @property
    @abstractmethod
    def ids(self) -> Sequence[str]:
        """Of the candidates."""

    @property
    @abstractmethod
    def inline(self) -> Mapping[str, InlineColumn]:
        """The features that candidates bring along, by feature."""


class RankRequest(Asked):
    """The body of POST /v1/rank. Without `top_k` all candidates come back; the default policy is the bundle's first.

    Candidates are ids, objects with features, or some of each.
    """

    candidates: Annotated[list[AnyCandidate], AllAlike]

    @cached_property
    def are_ids(self) -> bool:
        """Whether candidates bring nothing along, as most do: what is said of each is then not looked at."""
        return {str}.issuperset(map(type, self.candidates))

    @cached_property
    def ids(self) -> Sequence[str]:
        if self.are_ids:
            return self.candidates  # type: ignore[return-value]
        return [one if isinstance(one, str) else one.id for one in self.candidates]

    @cached_property
    def inline(self) -> dict[str, InlineColumn]:
        if self.are_ids:
            return {}
        rows, given = [], []
        for row, one in enumerate(self.candidates):
            if not isinstance(one, str) and one.features:
                rows.append(row)
                given.append(one.features)
        return columns_of(np.array(rows, dtype=np.intp), given)


def columns_of(rows: NDArray[np.intp], features: Sequence[Features]) -> dict[str, InlineColumn]:
    """By feature; `features` are those of the candidates at `rows`, one each."""
    names = list(features[0]) if features else []
    if all(list(one) == names for one in features):  # as usual
        columns = zip(*[one.values() for one in features], strict=True)
        return {name: InlineColumn(rows, values) for name, values in zip(names, columns, strict=True)}
    return {name: _column(name, features, rows) for name in dict.fromkeys(chain.from_iterable(features))}


def _column(name: str, features: Sequence[Features], rows: NDArray[np.intp]) -> InlineColumn:
    has = [name in one for one in features]
    return InlineColumn(rows[has], [one[name] for one in features if name in one])
