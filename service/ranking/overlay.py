"""Overlay: what the feature store has of a request, encoded, to be laid over what the bundle has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from model.contract.answer import WarningKind
from model.contract.columns import Column
from model.contract.encoding import Encoder, encode
from model.contract.features.discrete import Discrete
from model.contract.features.interface import Arrays, Feature, Side
from model.contract.mistakes import InputError
from model.contract.request import Asked, InlineColumn, columns_of
from model.contract.schema import FeatureSchema
from model.contract.stored_features import Document
from service.errors import StoreUnavailable
from service.feature_store.interface import NOTHING as NOTHING_STORED
from service.feature_store.interface import FeatureStore
from service.ranking.given import FIRST, Rows
from service.ranking.warning import RankWarning

NO_ROWS: Rows = np.zeros(0, dtype=np.intp)


@dataclass(frozen=True, slots=True)
class Layer:
    """The arrays of one feature, a row each for those at `rows`."""

    rows: Rows
    arrays: Arrays


@dataclass(frozen=True, slots=True)
class Overlay:
    """`request` are arrays with one row, `candidates` a layer a feature. `num_ignored` values are stored and not read:
    of features that this version does not have, or has with another type.
    """

    request: Arrays = field(default_factory=dict)
    candidates: tuple[Layer, ...] = ()
    knows_user: bool = False
    knows_query_video: bool = False
    num_ignored: int = 0
    warnings: tuple[RankWarning, ...] = ()

    @property
    def known_candidates(self) -> Rows:
        """Those of which something is stored that this version reads, some of them more than once."""
        return np.concatenate([NO_ROWS, *(one.rows for one in self.candidates)])


NOTHING = Overlay()
UNAVAILABLE = Overlay(warnings=(RankWarning(WarningKind.FEATURES_UNAVAILABLE),))


def overlay(request: Asked, encoder: Encoder, store: FeatureStore) -> Overlay:
    """Nothing that is stored can fail a request."""
    query = request.query.video_id
    try:
        stored = store.read(request.user.id, request.ids if query is None else [*request.ids, query])
    except StoreUnavailable:
        return UNAVAILABLE
    if stored == NOTHING_STORED:
        return NOTHING
    schema = encoder.schema
    rows = np.array([row for row, one in enumerate(request.ids) if one in stored.videos], dtype=np.intp)
    videos = columns_of(rows, [stored.videos[request.ids[row]]["features"] for row in rows])
    of_user, ignored_of_user = _layers(_of_user(stored.user, schema), _features_of_user(schema), encoder)
    of_query, _ = _layers(_of_query_video(stored.videos.get(query or ""), schema), schema.columns, encoder)
    of_candidates, ignored = _layers(videos, schema.given_by_name[Side.CANDIDATE], encoder)
    return Overlay(
        {name: array for layer in (*of_user, *of_query) for name, array in layer.arrays.items()},
        tuple(of_candidates),
        bool(of_user),
        bool(of_query),
        stored.num_unreadable + ignored_of_user + ignored,
    )


def _features_of_user(schema: FeatureSchema) -> dict[str, Feature]:
    return schema.given_by_name[Side.USER] | schema.histories


def _of_user(user: Document | None, schema: FeatureSchema) -> dict[str, InlineColumn]:
    if user is None:
        return {}
    history = user.get("history")
    values = user["features"] | ({} if history is None else dict.fromkeys(schema.histories, history))
    return {name: InlineColumn(FIRST, [value]) for name, value in values.items()}


def _of_query_video(video: Document | None, schema: FeatureSchema) -> dict[str, InlineColumn]:
    """A query feature that shares a candidate feature's codes is that feature of the video being watched."""
    features = {} if video is None else video["features"]
    return {
        one.name: InlineColumn(FIRST, [features[one.shares]])
        for one in schema.of_sides(Side.QUERY)
        if isinstance(one, Discrete) and one.shares in features and type(one) is type(schema.columns.get(one.table))
    }


def _layers(
    columns: Mapping[str, InlineColumn], features: Mapping[str, Feature], encoder: Encoder
) -> tuple[list[Layer], int]:
    """Of the values that these features can read, and how many others there are."""
    layers = []
    for name in filter(features.__contains__, columns):
        column, kept = _readable(features[name], columns[name].values)
        if len(kept):
            layers.append(Layer(columns[name].rows[kept], encode(encoder, {name: column})))
    return layers, sum(len(one.rows) for one in columns.values()) - sum(len(one.rows) for one in layers)


def _readable(feature: Feature, values: Sequence[Any]) -> tuple[Column, Rows]:
    """The values of the feature's type, and which they are."""
    try:
        return feature.column.from_values(values, feature.shape), np.arange(len(values))
    except InputError:
        kept = [at for at, value in enumerate(values) if _is_readable(feature, value)]
        return feature.column.from_values([values[at] for at in kept], feature.shape), np.array(kept, dtype=np.intp)


def _is_readable(feature: Feature, value: Any) -> bool:
    try:
        feature.column.from_values([value], feature.shape)
    except InputError:
        return False
    return True
