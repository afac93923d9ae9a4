"""Fetch: what the bundle and the feature store have of a request's user, query video and candidates."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.contract.answer import WarningKind
from model.contract.bundle import Bundle
from model.contract.features.discrete import Discrete
from model.contract.features.interface import Arrays, Side
from model.contract.request import Asked
from service.feature_store.interface import FeatureStore
from service.ranking.overlay import Layer, overlay
from service.ranking.ranker import Ranker
from service.ranking.warning import RankWarning, unknown_ids


@dataclass(frozen=True, slots=True)
class Fetched:
    """`request` has one row of every request-side array; `rows` are the candidates' rows in the catalog, `layers` what
    the store has of some of them, and `has_half` tells whose half of the network the bundle has. `num_ignored` is that
    of the overlay.
    """

    request: Arrays
    rows: NDArray[np.int64]
    layers: tuple[Layer, ...]
    has_half: NDArray[np.bool_]
    num_ignored: int
    warnings: tuple[RankWarning, ...]


def fetch(request: Asked, ranker: Ranker, store: FeatureStore) -> Fetched:
    """What is in the store lies over what is in the bundle. Of an id that neither knows there is the encoded row of
    missing values.
    """
    users, videos = ranker.bundle.users, ranker.bundle.videos
    ids = request.ids
    user_row, rows = users.rows([request.user.id]), videos.rows([*ids, request.query.video_id])  # one lookup costs less
    rows, query_row = rows[:-1], rows[-1:]
    over = overlay(request, ranker.bundle.encoder, store)
    is_unknown = rows == videos.num_entities
    is_unknown[over.known_candidates] = False
    knows_user = over.knows_user or user_row[0] != users.num_entities
    knows_query_video = over.knows_query_video or query_row[0] != videos.num_entities
    unknown: dict[WarningKind, list[str | None]] = {
        WarningKind.UNKNOWN_USER: [] if knows_user else [request.user.id],
        WarningKind.UNKNOWN_QUERY_VIDEO: [] if knows_query_video else [request.query.video_id],
        WarningKind.UNKNOWN_CANDIDATE: [ids[at] for at in np.flatnonzero(is_unknown).tolist()],
    }
    of_bundle = ranker.blank | users.gather(user_row) | dict(_of_query_video(query_row, ranker.bundle))
    warnings = [one for kind, named in unknown.items() for one in unknown_ids(kind, filter(None, named))]
    has_half = ranker.bundle.halves.known(rows)
    all_warnings = (*over.warnings, *warnings)
    return Fetched(of_bundle | over.request, rows, over.candidates, has_half, over.num_ignored, all_warnings)


def _of_query_video(row: NDArray[np.int64], bundle: Bundle) -> Iterator[tuple[str, NDArray[np.int32]]]:
    """A query feature that shares a candidate feature's codes is that feature of the video being watched."""
    for feature in bundle.schema.of_sides(Side.QUERY):
        shared = feature.shares if isinstance(feature, Discrete) else None
        owner = bundle.schema.columns.get(shared) if shared else None
        if owner is not None and owner.side is Side.CANDIDATE and type(owner) is type(feature):
            # Sets may keep a different number of codes on each side.
            codes = bundle.videos.arrays[owner.name][row]
            fitted = np.zeros((1, *feature.specs[0].shape), dtype=codes.dtype)
            common = tuple(slice(min(sizes)) for sizes in zip(fitted.shape, codes.shape, strict=True))
            fitted[common] = codes[common]
            yield feature.name, fitted
