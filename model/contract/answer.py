"""Answers: the wire format of what the service sends, for itself and for its clients, which ignore what is new."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from model.contract.combination import Policy
from model.contract.features.interface import Side
from model.contract.registry.channels import Channel
from model.contract.tasks import TaskKind


class WarningKind(StrEnum):
    UNKNOWN_USER = "unknown_user"
    UNKNOWN_QUERY_VIDEO = "unknown_query_video"
    UNKNOWN_CANDIDATE = "unknown_candidate"
    UNKNOWN_CATEGORY = "unknown_category"
    FEATURES_UNAVAILABLE = "features_unavailable"


class RankedCandidate(BaseModel):
    """Numbers are null where they are not finite; such candidates come last."""

    id: str
    score: float | None = Field(description="the policy's combination of the predictions")
    predictions: dict[str, float | None] = Field(description="by task, calibrated, in the task's unit")
    contributions: dict[str, float | None] | None = Field(
        default=None, description="with `explain`: what each task adds; candidates are ordered by the sum"
    )


class RankWarningBody(BaseModel):
    """Something unknown that was ranked all the same."""

    kind: WarningKind | str = Field(description="later versions may have more of them")
    ids: list[str] = Field(default=[], description="of the unknown user or videos")
    feature: str | None = Field(default=None, description="the category feature with unknown values")
    values: list[str] = []


class RankResponse(BaseModel):
    request_id: str
    version: str = Field(description="of the bundle that ranked")
    policy: str | None = Field(description="its name, or null where the request brought its own rules")
    ranking: list[RankedCandidate] = Field(description="best first")
    warnings: list[RankWarningBody]


class TaskBody(BaseModel):
    name: str
    kind: TaskKind
    group: str
    unit: str | None = Field(description="of its predictions; null for probabilities and plain numbers")


class FeatureBody(BaseModel):
    name: str
    kind: str


class Limits(BaseModel):
    max_candidates: int
    max_body_bytes: int


class ModelResponse(BaseModel):
    """What the live version predicts, from what, and how well it did."""

    version: str
    name: str
    created: str
    tasks: list[TaskBody]
    features: dict[Side, list[FeatureBody]] = Field(description="by the side that has them")
    policies: dict[str, Policy] = Field(description="the first one is the default")
    metrics: dict[str, JsonValue]
    limits: Limits


class ChannelState(BaseModel):
    """What the registry says of a channel, and what this process makes of it."""

    version: str | None = Field(description="that the registry names")
    percent: float | None = Field(default=None, description="of users, for a canary")
    served: str | None = Field(description="the version in memory; null for `previous`, and where there is none")
    refused: str | None = Field(description="why it is not the one that the registry names")


class Ready(BaseModel):
    status: Literal["ready"] = "ready"
    version: str
    refused: str | None = Field(description="why a newer live version is not served; null when there is none")
    channels: dict[Channel, ChannelState] = Field(description="those that are in use")


class WrongPart(BaseModel):
    where: str = Field(description="the place in the body", examples=["candidates[3].features.duration_s"])
    expected: str
    found: str
    nearest: str | None = Field(default=None, description="the nearest allowed name")


class Problem(BaseModel):
    """RFC 9457, with the id of the request and what was wrong in it, part by part."""

    type: str
    title: str
    status: int
    detail: str
    instance: str = Field(description="the path that was asked for")
    request_id: str
    errors: list[WrongPart] = Field(default=[], description="the first of them")
