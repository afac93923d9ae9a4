"""Publish: a trained, calibrated ranker becomes a bundle in a registry, checked against torch on the way."""

import datetime as dt
import hashlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from model.contract.bundle import FORMAT_VERSION, GRAPHS, Manifest, seal, write_parts
from model.contract.durable import files_below, sha256
from model.contract.features.interface import Arrays
from model.contract.mistakes import mistake
from model.contract.registry import open_registry
from model.contract.registry.operations import KEPT_VERSIONS
from model.contract.serving import TOLERANCES, Precision, Serving
from model.contract.tasks import Task
from model.costs import Costs, costs
from model.export import export_graphs, run_graphs
from model.ranker import MultiTaskRanker
from training.config import RunConfig
from training.dataset import Dataset, Preparation
from training.golden import GoldenCase, golden_cases
from training.health import ExpertHealth
from training.precision import settle
from training.precomputing import precompute
from training.reference import reference_figures
from training.splits import VALID

TOLERANCE = TOLERANCES[Precision.FLOAT32]  # of what is exported, whatever it is then run in
LIBRARIES = ("torch", "onnx", "onnxruntime", "numpy", "pydantic", "polars")


@dataclass(frozen=True, slots=True)
class Release:
    """What is published, beside the ranker itself."""

    config: RunConfig
    preparation: Preparation
    dataset: Dataset
    metrics: Mapping[str, Any]
    health: ExpertHealth


def publish(ranker: MultiTaskRanker, release: Release, registry: Path | str, keep: int = KEPT_VERSIONS) -> Manifest:
    """Add a version, make it the live one, prune; nothing appears unless the exported graphs agree with torch."""
    ranker = ranker.eval()
    return open_registry(registry).publish(lambda folder: _build(ranker, release, folder), keep)


def _build(ranker: MultiTaskRanker, release: Release, folder: Path) -> Manifest:
    dataset, graphs = release.dataset, folder / GRAPHS
    encoder, videos = dataset.encoder, dataset.encoder.videos
    cases = golden_cases(release.preparation, encoder, dataset.users)
    example, two = cases[-1].arrays, np.arange(2) % len(cases[-1].ids)  # of one candidate the exporter makes a constant
    export_graphs(ranker, _tensors(example, slice(1)), _tensors(example, two), graphs)
    policy = next(iter(release.config.policies.values()))
    serving = settle(
        release.config.serving.precision, ranker, release.config.tasks, policy, dataset.splits[VALID], graphs
    )
    golden = [_checked(ranker, case, graphs, release.config.tasks) for case in cases]
    budget = release.config.serving.precomputed_mb
    halves = precompute(ranker, videos, budget, release.preparation, serving.precision)
    serving = serving.model_copy(
        update={
            "num_videos": videos.num_entities,
            "num_precomputed": len(halves.values),
            "half_bytes": halves.row_bytes,
        }
    )
    reference = reference_figures(ranker, dataset, release.config)
    write_parts(folder, encoder, dataset.users, halves, golden, reference)
    return seal(folder, _manifest(release, costs(ranker), serving, folder))


def _checked(ranker: MultiTaskRanker, case: GoldenCase, graphs: Path, tasks: Sequence[Task]) -> dict[str, Any]:
    """The case with torch's predictions, which the exported graphs must repeat."""
    with torch.no_grad():
        expected = ranker.predict(_tensors(case.arrays, slice(None))).numpy()
    found = run_graphs(graphs, case.arrays)
    gap = float((np.abs(found - expected) / np.maximum(np.abs(expected), 1)).max())
    if not gap <= TOLERANCE:
        raise mistake("publish", f"exported predictions within {TOLERANCE:g} of torch's", f"a difference of {gap:.3g}")
    names = [task.name for task in tasks]
    by_id = {one: dict(zip(names, map(float, row), strict=True)) for one, row in zip(case.ids, expected, strict=True)}
    return {"request": case.request, "predictions": by_id}


def _tensors(arrays: Arrays, rows: slice | NDArray[Any]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.array(array[rows])) for name, array in arrays.items()}


def _manifest(release: Release, costs: Costs, serving: Serving, folder: Path) -> Manifest:
    config, now = release.config, dt.datetime.now(dt.UTC)
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        version="",
        name=config.name,
        created="",
        feature_schema=config.feature_schema,
        tasks=config.tasks,
        policies=config.policies,
        metrics=dict(release.metrics),
        costs=costs.model_dump(mode="json"),
        health=release.health.model_dump(mode="json"),
        training=config.model_dump(mode="json"),
        data_fingerprint=release.preparation.table.fingerprint,
        libraries={name: importlib.metadata.version(name) for name in LIBRARIES},
        serving=serving,
        files={},
    )
    # Policies and figures count too: they may change while the files stay.
    timings = {"serving": {"check": {"float32_ms", "reduced_ms"}}}
    digest = hashlib.sha256(manifest.model_dump_json(exclude=timings).encode())
    for path in files_below(folder):
        digest.update(f"{path.relative_to(folder).as_posix()}:{sha256(path)}\n".encode())
    version = f"{now:%Y%m%d}-{digest.hexdigest()[:8]}"
    return manifest.model_copy(update={"version": version, "created": now.isoformat(timespec="seconds")})
