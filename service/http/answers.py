"""Answers: rankings and bundles in the wire format."""

from collections.abc import Sequence
from typing import Any

from pydantic_core import to_json

from model.contract.bundle import Manifest
from model.contract.features.interface import Feature, Side
from service.http.schemas import FeatureBody, Limits, ModelResponse, TaskBody
from service.ranking.order import Ranking
from service.ranking.warning import RankWarning
from service.settings import Settings


def ranking_json(ranking: Ranking, request_id: str, manifest: Manifest) -> bytes:
    """A RankResponse, built in bulk: a pydantic object a candidate would cost more than ranking it."""
    body = {
        "request_id": request_id,
        "version": manifest.version,
        "policy": ranking.policy.name,
        "ranking": _rows(ranking, [task.name for task in manifest.tasks]),
        "warnings": [_warning(one) for one in ranking.warnings],
    }
    return to_json(body, inf_nan_mode="null")


def _rows(ranking: Ranking, tasks: Sequence[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"id": one, "score": score, "predictions": dict(zip(tasks, predictions, strict=True))}
        for one, score, predictions in zip(
            ranking.ids, ranking.scores.tolist(), ranking.predictions.tolist(), strict=True
        )
    ]
    if ranking.contributions is not None:
        weighted = list(ranking.policy.rules.weights)
        for row, contributions in zip(rows, ranking.contributions.tolist(), strict=True):
            row["contributions"] = dict(zip(weighted, contributions, strict=True))
    return rows


def _warning(warning: RankWarning) -> dict[str, Any]:
    if warning.feature is None:
        return {"kind": warning.kind.value, "ids": warning.ids}
    return {"kind": warning.kind.value, "feature": warning.feature, "values": warning.values}


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
