"""Golden requests: real requests with the predictions of training, for the service to repeat before it serves."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from model.contract.catalog import EntityTable
from model.contract.encoding import Encoder, encode_pairs
from model.contract.features.history import History
from model.contract.features.interface import REQUEST_SIDES, Arrays, Side
from model.contract.mistakes import mistake
from model.contract.request import LONGEST_ID
from model.contract.schema import FeatureSchema, Keys
from training.columns import as_requested
from training.dataset import Preparation
from training.encoded_log import encode_chunk

NUM_ROWS = 8
Request = dict[str, Any]


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """A request as it would be POSTed, and its encoded arrays with one row a candidate."""

    request: Request
    arrays: Arrays

    @property
    def ids(self) -> list[str]:
        return [one["id"] for one in self.request["candidates"]]


def golden_cases(preparation: Preparation, encoder: Encoder, users: EntityTable) -> list[GoldenCase]:
    """Some impressions with all features inline, and one request that names user and candidates by id alone."""
    schema = encoder.schema
    keys = schema.keys
    named = _with_ids(preparation, keys)
    frame = named.gather_every(max(1, named.height // NUM_ROWS)).head(NUM_ROWS)
    arrays = encode_chunk(encoder, frame, preparation.table.source)
    rows = list(spelled_out(frame, schema).iter_rows(named=True))
    inline = [
        GoldenCase(inline_request(schema, row), {name: array[at : at + 1] for name, array in arrays.items()})
        for at, row in enumerate(rows)
    ]
    return [*inline, _by_ids(encoder, users, rows, inline[0])]


def _with_ids(preparation: Preparation, keys: Keys) -> pl.DataFrame:
    """Neighbouring impressions of videos that a request can name, those of users that it can name first."""
    length = {key: pl.col(key).str.len_chars() for key in (keys.user, keys.video)}
    for chunk in preparation.joined().chunks(4096):
        text = chunk.with_columns(pl.col(keys.user, keys.video).cast(pl.String))
        named = text.filter(length[keys.video].is_between(1, LONGEST_ID))
        if named.height:
            is_user = length[keys.user].is_between(1, LONGEST_ID).fill_null(value=False)
            return named.with_columns(pl.when(is_user).then(pl.col(keys.user))).sort(~is_user, maintain_order=True)
    expected = f"a video with an id of 1 to {LONGEST_ID} characters"
    raise mistake(f"{preparation.table.source}: column `{keys.video}`", expected, "none")


def _by_ids(encoder: Encoder, users: EntityTable, rows: Sequence[Mapping[str, Any]], first: GoldenCase) -> GoldenCase:
    keys = encoder.schema.keys
    videos = list(dict.fromkeys(row[keys.video] for row in rows))
    user = first.request["user"].get("id")
    request = first.request | {"user": _named(user), "candidates": [{"id": one} for one in videos]}
    same = np.zeros(len(videos), dtype=np.int64)
    arrays = {name: array[same] for name, array in first.arrays.items()}
    arrays |= users.gather(users.rows([user] * len(videos)))
    arrays |= encoder.videos.gather(encoder.videos.rows(videos))
    return GoldenCase(request, arrays | encode_pairs(encoder, arrays, arrays, np.arange(len(videos))))


def spelled_out(frame: pl.DataFrame, schema: FeatureSchema) -> pl.DataFrame:
    """Values as a request has them: ids and categories as strings, lists as lists."""
    keys = [one for one in (schema.keys.user, schema.keys.video, schema.keys.query_video) if one]
    expressions = {key: pl.col(key).cast(pl.String) for key in keys}
    expressions |= {name: as_requested(name, frame[name].dtype, one) for name, one in schema.columns.items()}
    return frame.with_columns(**expressions)


def inline_request(schema: FeatureSchema, row: Mapping[str, Any]) -> Request:
    keys = schema.keys
    sides: dict[Side, dict[str, Any]] = {side: {} for side in (*REQUEST_SIDES, Side.CANDIDATE)}
    for name, feature in schema.columns.items():
        if feature.side in sides and name not in {keys.user, keys.video, keys.query_video, *schema.histories}:
            sides[feature.side][name] = plain(row[name])
    user = _named(row[keys.user]) | {"features": sides[Side.USER]}
    for name, history in schema.histories.items():
        user["history"] = _interactions(history, row[name])
    query: dict[str, Any] = {"features": sides[Side.QUERY]}
    if keys.query_video is not None and row[keys.query_video] is not None:
        query["video_id"] = row[keys.query_video]
    candidate = {"id": row[keys.video], "features": sides[Side.CANDIDATE]}
    return {"user": user, "query": query, "context": sides[Side.CONTEXT], "candidates": [candidate]}


def _named(user: str | None) -> dict[str, Any]:
    return {} if user is None else {"id": user}


def _interactions(feature: History, past: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    return [
        {"video_id": str(one["video_id"]), "outcomes": {name: plain(one[name]) for name in feature.outcomes}}
        for one in past or []
        if one["video_id"] not in (None, "")
    ]


def plain(value: Any) -> Any:
    """A table's value as JSON has it."""
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value
