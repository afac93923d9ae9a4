"""Answers: rankings and bundles in the wire format."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from model.contract import kernels
from model.contract.answer import ChannelState, FeatureBody, Limits, ModelResponse, TaskBody
from model.contract.bundle import Manifest
from model.contract.features.interface import Feature, Side
from model.contract.registry.channels import Channel
from service.ranking.order import Ranking
from service.ranking.warning import RankWarning
from service.registry.live import State
from service.settings import Settings

VALUE = re.compile(rb'"(?:[^"\\]|\\.)*"|[^,\[\]]+')  # of an array of strings, numbers and nulls


def ranking_json(ranking: Ranking, request_id: str, manifest: Manifest) -> bytes:
    """A RankResponse, written in bulk: an object a candidate, of whatever library, would cost more than ranking it."""
    tasks = [task.name for task in manifest.tasks]
    rows = Rows()
    rows.add(b'{"id":', orjson.dumps(ranking.ids))
    rows.add(b',"score":', _numbers(ranking.scores))
    rows.add_object(b',"predictions":', tasks, _numbers(ranking.predictions))
    if ranking.contributions is not None:
        rows.add_object(b',"contributions":', list(ranking.policy.rules.weights), _numbers(ranking.contributions))
    whole = orjson.dumps(about(ranking, request_id, manifest))
    return b'%b,"ranking":[%b]}' % (whole[:-1], rows.written(len(ranking.ids)))


def about(ranking: Ranking, request_id: str, manifest: Manifest) -> dict[str, Any]:
    """What is said of a ranking as a whole."""
    return {
        "request_id": request_id,
        "version": manifest.version,
        "policy": ranking.policy.name,
        "warnings": [_warning(one) for one in ranking.warnings],
    }


class Rows:
    """Objects of the same keys. Their values come from JSON arrays, row by row."""

    def __init__(self) -> None:
        self._between, self._sources, self._of_column = [b""], list[bytes](), list[int]()

    def add(self, before: bytes, values: bytes) -> None:
        """A column: what belongs in front of its values, and the array of them."""
        self._begin(before)
        self._sources.append(values)

    def add_object(self, before: bytes, names: Sequence[str], values: bytes) -> None:
        """A column for each name, all of one array."""
        self._between[-1] += before + b"{"
        for at, name in enumerate(names):
            self._begin(b"," * (at > 0) + orjson.dumps(name) + b":")
        self._sources.append(values)
        self._between[-1] += b"}"

    def _begin(self, before: bytes) -> None:
        """Another column of the next array."""
        self._between[-1] += before
        self._between.append(b"")
        self._of_column.append(len(self._sources))

    def written(self, num_rows: int) -> bytes:
        """The rows, with commas between them."""
        between = (*self._between[:-1], self._between[-1] + b"},")
        if kernels.COMPILED is None:
            return self._in_python(between, num_rows)[:-1]
        return kernels.COMPILED.rows(between, tuple(self._sources), bytes(self._of_column), num_rows)[:-1]

    def _in_python(self, between: Sequence[bytes], num_rows: int) -> bytes:
        values = [iter(VALUE.findall(one)) for one in self._sources]
        columns = [*zip(between, self._of_column, strict=False)]
        return b"".join(
            piece
            for _ in range(num_rows)
            for piece in (*(part for text, at in columns for part in (text, next(values[at]))), between[-1])
        )


def _numbers(table: NDArray[Any]) -> bytes:
    """Row by row, with as many digits as the type of the array needs; what is not finite becomes null."""
    return orjson.dumps(np.ascontiguousarray(table).ravel(), option=orjson.OPT_SERIALIZE_NUMPY)


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
