"""Answers: rankings and bundles in the wire format."""

from collections.abc import Sequence
from typing import Any

import orjson
from numpy.typing import NDArray

from model.contract.bundle import Manifest
from model.contract.features.interface import Feature, Side
from model.contract.registry.channels import Channel
from service.http.schemas import ChannelState, FeatureBody, Limits, ModelResponse, TaskBody
from service.ranking.order import Ranking
from service.ranking.warning import RankWarning
from service.registry.live import State
from service.settings import Settings


def ranking_json(ranking: Ranking, request_id: str, manifest: Manifest) -> bytes:
    """A RankResponse, built in bulk: a pydantic object a candidate would cost more than ranking it."""
    rows = _rows(ranking, [task.name for task in manifest.tasks])
    return orjson.dumps(about(ranking, request_id, manifest) | {"ranking": rows})  # what is not finite becomes null


def about(ranking: Ranking, request_id: str, manifest: Manifest) -> dict[str, Any]:
    """What is said of a ranking as a whole."""
    return {
        "request_id": request_id,
        "version": manifest.version,
        "policy": ranking.policy.name,
        "warnings": [_warning(one) for one in ranking.warnings],
    }


def _rows(ranking: Ranking, tasks: Sequence[str]) -> list[dict[str, Any]]:
    predictions = _by_name(tasks, ranking.predictions)
    columns = zip(ranking.ids, ranking.scores.tolist(), predictions, strict=True)
    rows: list[dict[str, Any]] = [
        {"id": one, "score": score, "predictions": by_task} for one, score, by_task in columns
    ]
    if ranking.contributions is not None:
        by_weight = _by_name(list(ranking.policy.rules.weights), ranking.contributions)
        for row, contributions in zip(rows, by_weight, strict=True):
            row["contributions"] = contributions
    return rows


def _by_name(names: Sequence[str], table: NDArray[Any]) -> list[dict[str, float]]:
    return [dict(zip(names, row, strict=True)) for row in table.tolist()]


def _warning(warning: RankWarning) -> dict[str, Any]:
    if warning.feature is None:
        return {"kind": warning.kind.value, "ids": warning.ids}
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
