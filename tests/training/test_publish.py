"""Publishing: whole or not at all, and only what the exported graphs repeat."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from model.contract.bundle import read_bundle
from model.contract.combination import Combination, Policy
from model.contract.mistakes import InputError
from model.contract.versions import live_version, version_folder
from model.ranker import MultiTaskRanker
from training import publish as publishing
from training.publish import Release, publish
from training.run import Run


def test_a_bundle_says_all_about_itself(trained: tuple[Run, Path]) -> None:
    run, registry = trained
    bundle = read_bundle(version_folder(registry, live_version(registry)))
    manifest = bundle.manifest
    assert manifest.tasks == run.config.tasks and manifest.policies == run.config.policies
    assert manifest.feature_schema == run.config.feature_schema
    assert manifest.data_fingerprint == run.preparation.table.fingerprint
    assert manifest.metrics.keys() == {"valid", "test"}
    assert manifest.health == json.loads(run.health.read_text())
    assert [gate["name"] for gate in manifest.health["gates"]] == ["gate"]
    assert 0 < manifest.costs["shared"] < manifest.costs["parameters"]
    assert {"torch", "onnxruntime", "numpy"} <= manifest.libraries.keys()
    assert manifest.version.startswith(manifest.created[:10].replace("-", ""))
    assert len(bundle.golden) == 9 and all(one.predictions for one in bundle.golden)


@pytest.mark.parametrize("fault", ["not finite", "beyond the tolerance"])
def test_an_export_that_differs_is_refused_and_nothing_appears(
    release: tuple[MultiTaskRanker, Release], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    ranker, what = release
    if fault == "not finite":
        ranker.calibration.slope[0] = float("nan")
    else:
        monkeypatch.setattr(publishing, "TOLERANCE", -1.0)  # then even an exact export is too far off
    with pytest.raises(InputError, match=r"exported predictions within .* of torch's"):
        publish(ranker, what, tmp_path / "registry")
    assert not list((tmp_path / "registry" / "versions").iterdir())
    assert not (tmp_path / "registry" / "channels").exists()


def test_a_second_version_becomes_the_live_one_and_the_first_stays(
    release: tuple[MultiTaskRanker, Release], tmp_path: Path
) -> None:
    ranker, what = release
    first = publish(ranker, what, tmp_path).version
    ranker.calibration.intercept += 0.1
    second = publish(ranker, what, tmp_path).version
    assert live_version(tmp_path) == second != first
    assert {one.name for one in (tmp_path / "versions").iterdir()} == {first, second}
    read_bundle(version_folder(tmp_path, first))


def test_other_policies_are_another_version(release: tuple[MultiTaskRanker, Release], tmp_path: Path) -> None:
    ranker, what = release
    first = publish(ranker, what, tmp_path)
    policies = {"other": Policy(combination=Combination.WEIGHTED_SUM, weights={what.config.tasks[0].name: 2.0})}
    changed = replace(what, config=what.config.model_copy(update={"policies": policies}))
    second = publish(ranker, changed, tmp_path)
    assert second.version != first.version == publish(ranker, what, tmp_path).version
    assert read_bundle(version_folder(tmp_path, second.version)).manifest.policies == policies
