"""Answers: rankings and bundles in the wire format."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from model.contract.answer import ChannelState, FeatureBody, Limits, ModelResponse, TaskBody
from model.contract.bundle import Manifest
from model.contract.features.interface import Feature, Side
from model.contract.registry.channels import Channel
from service.ranking.order import Ranking
from service.ranking.warning import RankWarning
from service.registry.live import State
from service.settings import Settings

Piece = bytes | list[bytes]


def ranking_json(ranking: Ranking, request_id: str, manifest: Manifest) -> bytes:
    """A RankResponse, written in bulk: an object a candidate, of whatever library, would cost more than ranking it."""
    row: list[Piece] = [
        b'{"id":',
        _texts_of_ids(ranking.ids),
        b',"score":',
        *_texts_of_numbers(ranking.scores[:, None]),
    ]
    row += [b',"predictions":', *_object([task.name for task in manifest.tasks], ranking.predictions)]
    if ranking.contributions is not None:
        row += [b',"contributions":', *_object(ranking.policy.rules.weights, ranking.contributions)]
    texts = _row_by_row([*row, b"},"], len(ranking.ids))
    texts[0] = orjson.dumps(about(ranking, request_id, manifest))[:-1] + b',"ranking":[' + texts[0]
    texts[-1] = texts[-1].removesuffix(b",") + b"]}"
    return b"".join(texts)


def about(ranking: Ranking, request_id: str, manifest: Manifest) -> dict[str, Any]:
    """What is said of a ranking as a whole."""
    return {
        "request_id": request_id,
        "version": manifest.version,
        "policy": ranking.policy.name,
        "warnings": [_warning(one) for one in ranking.warnings],
    }


def _object(names: Iterable[str], table: NDArray[Any]) -> Iterator[Piece]:
    """Of the numbers in a row, by name."""
    yield b"{"
    for at, (name, texts) in enumerate(zip(names, _texts_of_numbers(table), strict=True)):
        yield b"," * (at > 0) + orjson.dumps(name) + b":"
        yield texts
    yield b"}"


def _row_by_row(row: Sequence[Piece], num_rows: int) -> list[bytes]:
    """What is the same in every row, and columns of what is not, in turn."""
    merged: list[Piece] = [b""]
    for piece in row:
        if isinstance(piece, bytes) and isinstance(merged[-1], bytes):
            merged[-1] += piece
        else:
            merged.append(piece)
    texts = [b""] * (num_rows * len(merged))
    for at, piece in enumerate(merged):
        texts[at :: len(merged)] = [piece] * num_rows if isinstance(piece, bytes) else piece
    return texts


def _texts_of_ids(ids: Sequence[str]) -> list[bytes]:
    """Indented, each has a line of its own: no string in JSON has a line break."""
    return orjson.dumps(ids, option=orjson.OPT_INDENT_2).removeprefix(b"[\n  ").removesuffix(b"\n]").split(b",\n  ")


def _texts_of_numbers(table: NDArray[Any]) -> list[list[bytes]]:
    """By column, with as many digits as the type of the array needs; what is not finite becomes null."""
    flat = np.ascontiguousarray(table).ravel()
    texts = orjson.dumps(flat, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
    return [texts[at :: table.shape[1]] for at in range(table.shape[1])]


def _warning(warning: RankWarning) -> dict[str, Any]:
    if warning.ids:
        return {"kind": warning.kind.value, "ids": warning.ids}
    if warning.feature is None:
        return {"kind": warning.kind.value}
    return {"kind": warning.kind.value, "feature": warning.feature, "values": warning.values}


def channel_states(state: State) -> dict[Channel, ChannelState]:
    found = {}
    for channel in Channel:
        named, served, refused = state.named.get(channel), state.version(channel), state.refused.get(channel)
        if named or served or refused:
            version, percent = (named.version, named.percent) if named else (None, None)
            found[channel] = ChannelState(version=version, percent=percent, served=served, refused=refused)
    return found


def model_response(manifest: Manifest, settings: Settings) -> ModelResponse:
    features: dict[Side, list[FeatureBody]] = {}
    for feature in manifest.feature_schema.features:
        side = feature.side if isinstance(feature, Feature) else Side.PAIR
        features.setdefault(side, []).append(FeatureBody(name=feature.name, kind=feature.kind))
    return ModelResponse(
        version=manifest.version,
        name=manifest.name,
        created=manifest.created,
        tasks=[TaskBody(name=one.name, kind=one.kind, group=one.group, unit=one.unit) for one in manifest.tasks],
        features=features,
        policies=manifest.policies,
        metrics=manifest.metrics,
        limits=Limits(max_candidates=settings.max_candidates, max_body_bytes=settings.max_body_bytes),
    )
