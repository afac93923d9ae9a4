"""Given: the features that a request brings along, as raw columns that remember where each value stood."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.contract.columns import Column
from model.contract.mistakes import InputError, Mistake
from model.contract.request import Asked, InlineColumn
from model.contract.schema import FeatureSchema

Rows = NDArray[np.intp]
FIRST: Rows = np.zeros(1, dtype=np.intp)


@dataclass(frozen=True, slots=True)
class Given:
    """Values of one feature: of the candidates at `rows`, or a single one, of the request.

    `where` is the place of a value, with `{}` for its row.
    """

    where: str
    rows: Rows
    values: Sequence[Any]


def given_by_request(request: Asked, schema: FeatureSchema) -> dict[str, Given]:
    """By feature. Names must have been checked."""
    user, query = request.user, request.query
    given = {name: Given(f"user.features.{name}", FIRST, [value]) for name, value in user.features.items()}
    given |= {name: Given(f"query.features.{name}", FIRST, [value]) for name, value in query.features.items()}
    given |= {name: Given(f"context.{name}", FIRST, [value]) for name, value in request.context.items()}
    if user.history is not None:
        history = [one.model_dump() for one in user.history]
        given |= {name: Given("user.history", FIRST, [history]) for name in schema.histories}
    return given


def ids_of_request(request: Asked, schema: FeatureSchema) -> dict[str, Given]:
    """The features that are ids of this request."""
    ids = {schema.keys.user: ("user.id", request.user.id)}
    if schema.keys.query_video is not None:
        ids[schema.keys.query_video] = ("query.video_id", request.query.video_id)
    return {
        name: Given(where, FIRST, [value])
        for name, (where, value) in ids.items()
        if name in schema.columns and value is not None
    }


def given_by_candidates(inline: Mapping[str, InlineColumn]) -> dict[str, Given]:
    """By feature; a feature has the rows of those candidates that give it."""
    return {name: Given(f"candidates[{{}}].features.{name}", one.rows, one.values) for name, one in inline.items()}


def ids_of_candidates(ids: Sequence[str], rows: Rows, schema: FeatureSchema) -> dict[str, Given]:
    name = schema.keys.video
    if name not in schema.columns or not len(rows):
        return {}
    return {name: Given("candidates[{}].id", rows, [ids[row] for row in rows])}


def to_columns(given: Mapping[str, Given], schema: FeatureSchema) -> dict[str, Column]:
    """Raises InputError with the first mistake of each feature, at its place in the request."""
    columns: dict[str, Column] = {}
    wrong: list[Mistake] = []
    for name, one in given.items():
        feature = schema.columns[name]
        try:
            columns[name] = feature.column.from_values(one.values, feature.shape)
        except InputError as error:
            wrong += [_placed(mistake, one) for mistake in error.mistakes]
    if wrong:
        raise InputError(*wrong)
    return columns


def _placed(mistake: Mistake, given: Given) -> Mistake:
    """A column tells the index of the wrong value; the request has it in some row."""
    index, rest = re.fullmatch(r"\[(\d+)\](.*)", mistake.where, re.DOTALL).groups()  # type: ignore[union-attr]
    where = given.where.format(given.rows[int(index)]) + rest
    return Mistake(where, mistake.expected, mistake.found, mistake.nearest)
