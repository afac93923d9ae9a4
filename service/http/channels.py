"""The wire format of versions and channels, as operators see and change them."""

from pydantic import BaseModel, Field

from model.contract.mistakes import Strict
from model.contract.registry.channels import Channel
from model.contract.registry.operations import Registry

Version = Field(min_length=1, max_length=200)


class Promotion(Strict):
    """The version to make the live one, or the shadow."""

    version: str = Version


class CanaryTrial(Strict):
    version: str = Version
    percent: float = Field(ge=0, le=100, description="of users, by a stable hash of their ids")


class AssignmentBody(BaseModel):
    version: str
    percent: float | None = Field(description="of users, for a canary")


class Channels(BaseModel):
    """What the registry says; running services follow within `registry_poll_s`."""

    channels: dict[Channel, AssignmentBody]


class PublishedVersion(BaseModel):
    version: str
    created: str
    num_bytes: int
    channels: list[Channel]
    metrics: dict[str, dict[str, float]] = Field(description="by task, of the test split")


class Versions(BaseModel):
    versions: list[PublishedVersion]


def channels_of(registry: Registry) -> Channels:
    assigned = registry.assignments().items()
    return Channels(
        channels={channel: AssignmentBody(version=one.version, percent=one.percent) for channel, one in assigned}
    )


def versions_of(registry: Registry) -> Versions:
    return Versions(
        versions=[PublishedVersion.model_validate(one, from_attributes=True) for one in registry.published()]
    )
