"""Stored features: what a feature store has of a user or a video beside the bundle, and how it is written there."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import chain, islice
from typing import Any

import orjson
from pydantic import Field

from model.contract.features.interface import Feature, Side
from model.contract.mistakes import MOST_MISTAKES, InputError, Mistake, Strict, mistake, quote
from model.contract.names import stranger, wrong_outcomes
from model.contract.request import Features, Interaction
from model.contract.schema import FeatureSchema

Document = dict[str, Any]  # a UserFeatures or VideoFeatures, as it was read: nobody checked it against this version


class Entity(StrEnum):
    USERS = "users"
    VIDEOS = "videos"


SIDES = {Entity.USERS: Side.USER, Entity.VIDEOS: Side.CANDIDATE}


class VideoFeatures(Strict):
    """All that is stored of a video: it replaces what was, and overrides the bundle feature by feature."""

    features: Features = Field(default_factory=dict)


class UserFeatures(VideoFeatures):
    """All that is stored of a user: it replaces what was, and overrides the bundle feature by feature. `history`,
    oldest first, replaces the bundle's.
    """

    history: list[Interaction] | None = Field(default=None, max_length=10_000)


FORMS: Mapping[Entity, type[VideoFeatures]] = {Entity.USERS: UserFeatures, Entity.VIDEOS: VideoFeatures}


def write_document(stored: VideoFeatures) -> bytes:
    """Of what `check_stored` has passed. Raises InputError."""
    try:
        return orjson.dumps(stored.model_dump(exclude_none=True) | {"features": stored.features})
    except TypeError:
        raise mistake("features", "whole numbers of at most 64 bits", "a larger one") from None


def read_documents(written: Sequence[bytes]) -> list[Document | None]:
    """None for what nobody of us can have written."""
    try:
        found = orjson.loads(b"[" + b",".join(written) + b"]")  # at once: the usual case takes a third of the time
        if len(found) != len(written):
            raise ValueError("a document that is more than one")
    except ValueError:
        found = [_read(one) for one in written]
    return [one if _is_document(one) else None for one in found]


def _read(written: bytes) -> Any:
    try:
        return orjson.loads(written)
    except ValueError:
        return None


def _is_document(found: Any) -> bool:
    return isinstance(found, dict) and isinstance(found.get("features"), dict)


def check_stored(entity: Entity, stored: VideoFeatures, schema: FeatureSchema) -> None:
    """Raises InputError with the first mistakes: names that the schema does not know there, values of a wrong type."""
    side = SIDES[entity]
    features = schema.given_by_name[side]
    history = stored.history if isinstance(stored, UserFeatures) else None
    strangers = (
        stranger(f"features.{quote(name)[1:-1]}", name, side, schema)
        for name in stored.features
        if name not in features
    )
    wrong_values = chain.from_iterable(
        _wrong_value(features[name], f"features.{name}", value)
        for name, value in stored.features.items()
        if name in features
    )
    told = None if history is None else [one.model_dump() for one in history]
    wrong_history = chain.from_iterable(_wrong_value(one, "history", told) for one in schema.histories.values())
    wrong = chain(strangers, wrong_values, wrong_outcomes(history, "history", schema), wrong_history)
    if found := list(islice(wrong, MOST_MISTAKES)):
        raise InputError(*found)


def _wrong_value(feature: Feature, where: str, value: Any) -> Iterator[Mistake]:
    try:
        feature.column.from_values([value], feature.shape)
    except InputError as error:
        for one in error.mistakes:
            yield Mistake(where + one.where.removeprefix("[0]"), one.expected, one.found, one.nearest)
