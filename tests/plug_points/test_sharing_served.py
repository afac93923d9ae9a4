"""Every sharing architecture trains on simulated logs, is published, and serves what it learned."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from model.contract.features.interface import REQUEST_SIDES
from model.contract.versions import live_version, version_folder
from model.export import run_graphs
from model.sharing import AnySharing
from service.registry.loading import load_ranker
from tests.conftest import small_config
from tests.model.builders import kinds, tensors
from tests.plug_points.publishing import publish_apart, registry_of, run_of
from training.run import Run, load_trained
from training.splits import TEST
from training.watching import TerminalWatcher

KINDS = [one.model_fields["kind"].default for one in kinds(AnySharing)]
FEATURES = ("video_id", "popularity", "device", "activity", "position")
each = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def published(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Run, Path]]:
    """By kind its run, and the folder of its bundle."""
    folder, raw = tmp_path_factory.mktemp("sharings"), small_config(logs)
    raw["features"] = [one for one in raw["features"] if one["name"] in FEATURES]  # the exporter is slow
    raw["training"] |= {"max_epochs": 1}
    publish_apart(raw, KINDS, folder)
    registries = {kind: registry_of(kind, folder) for kind in KINDS}
    return {
        kind: (run_of(raw, kind, folder), version_folder(one, live_version(one))) for kind, one in registries.items()
    }


@each
def test_it_learns(published: dict[str, tuple[Run, Path]], kind: str) -> None:
    run, _ = published[kind]
    assert json.loads((run.folder / "metrics.json").read_text())["test"]["tasks"]["click"]["auc"] > 0.55
    assert run.config.sharing.kind == kind


@each
@pytest.mark.parametrize("num_candidates", [1, 2, 500])
def test_the_published_graphs_predict_what_torch_predicts(
    published: dict[str, tuple[Run, Path]], kind: str, num_candidates: int
) -> None:
    run, bundle = published[kind]
    with TerminalWatcher(Console(quiet=True), run.curves) as watcher:
        dataset = run.dataset(watcher)
    arrays = {name: np.array(array[:num_candidates]) for name, array in dataset.splits[TEST].arrays.items()}
    for name in (one.name for one in dataset.schema.specs.values() if one.side in REQUEST_SIDES and not one.hidden):
        arrays[name] = arrays[name][np.zeros(num_candidates, dtype=np.int64)]
    with torch.no_grad():
        expected = load_trained(run, dataset).predict(tensors(arrays)).numpy()
    found = run_graphs(bundle / "graphs", arrays)
    assert found.shape == expected.shape == (num_candidates, len(run.config.tasks))
    gap = (np.abs(found - expected) / np.maximum(np.abs(expected), 1)).max()
    assert gap <= 1e-5, gap


@each
def test_the_service_serves_it(published: dict[str, tuple[Run, Path]], kind: str) -> None:
    """Loading, the service ranks golden requests and holds its predictions against those of training."""
    _, bundle = published[kind]
    manifest = load_ranker(bundle, num_threads=1).bundle.manifest
    assert manifest.training["sharing"]["kind"] == kind
    assert bool(manifest.health["gates"]) == (kind in ("mmoe", "one_gate", "ple"))
