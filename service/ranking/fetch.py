"""Fetch: what the bundle has stored about a request's user, query video and candidates."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.contract.answer import WarningKind
from model.contract.bundle import Bundle
from model.contract.features.discrete import Discrete
from model.contract.features.interface import Arrays, Side
from model.contract.request import Asked
from service.ranking.ranker import Ranker
from service.ranking.warning import RankWarning, unknown_ids


@dataclass(frozen=True, slots=True)
class Fetched:
    """`request` has one row of every request-side array; `rows` are the candidates' rows in the catalog, and
    `has_half` tells whose half of the network is computed already.
    """

    request: Arrays
    rows: NDArray[np.int64]
    has_half: NDArray[np.bool_]
    warnings: tuple[RankWarning, ...]


def fetch(request: Asked, ranker: Ranker) -> Fetched:
    """Nothing is stored about unknown ids: they have the encoded row of missing values."""
    users, videos = ranker.bundle.users, ranker.bundle.videos
    ids = request.ids
    user_row, rows = users.rows([request.user.id]), videos.rows([*ids, request.query.video_id])  # one lookup costs less
    rows, query_row = rows[:-1], rows[-1:]
    is_unknown = rows == videos.num_entities
    unknown: dict[WarningKind, list[str | None]] = {
        WarningKind.UNKNOWN_USER: [request.user.id] if user_row[0] == users.num_entities else [],
        WarningKind.UNKNOWN_QUERY_VIDEO: [request.query.video_id] if query_row[0] == videos.num_entities else [],
        WarningKind.UNKNOWN_CANDIDATE: [ids[at] for at in np.flatnonzero(is_unknown).tolist()],
    }
    stored = ranker.blank | users.gather(user_row) | dict(_of_query_video(query_row, ranker.bundle))
    warnings = [one for kind, named in unknown.items() for one in unknown_ids(kind, filter(None, named))]
    return Fetched(stored, rows, ranker.bundle.halves.known(rows), tuple(warnings))


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
