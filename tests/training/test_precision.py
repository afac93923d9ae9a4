"""Precision: what hardly changes predictions is published, what changes them is refused with the figures."""

import json
from pathlib import Path

import numpy as np
import pytest

from model.contract.bfloat16 import is_bfloat16
from model.contract.bundle import read_bundle
from model.contract.execution import Float32Graph, Floats, why_not
from model.contract.features.interface import Arrays
from model.contract.mistakes import InputError
from model.contract.serving import Precision, Serving
from model.contract.versions import version_folder
from model.ranker import MultiTaskRanker
from service.registry.loading import load_ranker
from training import precision as deciding
from training.precision import compare, settle
from training.publish import Release, publish
from training.run import Run
from training.splits import VALID

REDUCED = Precision.BFLOAT16
needs_reduced = pytest.mark.skipif(bool(why_not(REDUCED)), reason=str(why_not(REDUCED)))


class Noisy(Float32Graph):
    """What a careless reduction would do."""

    def run(self, arrays: Arrays, *outputs: str) -> list[Floats]:
        self.runs = getattr(self, "runs", 0) + 1
        random = np.random.default_rng(self.runs)
        return [one * random.uniform(0.2, 1, one.shape).astype(np.float32) for one in super().run(arrays, *outputs)]


@pytest.fixture
def asking(
    release: tuple[MultiTaskRanker, Release], monkeypatch: pytest.MonkeyPatch
) -> tuple[MultiTaskRanker, Release]:
    """A release that wants reduced precision."""
    ranker, what = release
    monkeypatch.setattr(deciding, "NUM_CANDIDATES", 50)  # among more the small network tells few apart
    config = what.config.model_copy(update={"serving": what.config.serving.model_copy(update={"precision": REDUCED})})
    return ranker, Release(config, what.preparation, what.dataset, what.metrics, what.health)


@needs_reduced
def test_reduced_precision_is_published_with_what_spoke_for_it_and_served(
    asking: tuple[MultiTaskRanker, Release], trained: tuple[Run, Path], tmp_path: Path
) -> None:
    ranker, what = asking
    metrics = json.loads((trained[0].folder / "metrics.json").read_text())["valid"]["tasks"]
    manifest = publish(ranker, what, tmp_path)
    assert manifest.serving.precision is REDUCED
    check = manifest.serving.check
    assert check is not None and check.num_requests == 200 and 0.99 <= check.agreement <= 1
    for name, before in check.float32.items():
        if check.metric[name] == "auc":
            assert before == pytest.approx(metrics[name]["auc"], abs=1e-4)
        direction = 1 if check.metric[name] == "auc" else -1
        assert direction * (before - check.reduced[name]) < 5e-4 and check.reduced[name] != before
    ranker_of_bundle = load_ranker(version_folder(tmp_path, manifest.version), num_threads=1)
    assert ranker_of_bundle.runtime.precision is REDUCED
    halves = ranker_of_bundle.bundle.halves
    assert is_bfloat16(halves.values) and manifest.serving.half_bytes == 2 * halves.values.shape[1]
    assert publish(ranker, what, tmp_path).version == manifest.version


def test_a_machine_without_it_serves_in_float32_and_says_so(
    asking: tuple[MultiTaskRanker, Release],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ranker, what = asking
    monkeypatch.setattr("training.publish.settle", lambda *_: Serving(precision=REDUCED))
    folder = version_folder(tmp_path, publish(ranker, what, tmp_path).version)
    monkeypatch.setattr("service.runtime.sessions.why_not", lambda _: "it is too old")
    assert read_bundle(folder).manifest.serving.precision is REDUCED
    assert load_ranker(folder, num_threads=1).runtime.precision is Precision.FLOAT32
    assert "predicting in float32 instead of bfloat16: it is too old" in caplog.text


def test_what_changes_predictions_is_refused_with_the_figures(
    asking: tuple[MultiTaskRanker, Release], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranker, what = asking
    monkeypatch.setattr(deciding, "why_not", lambda _: None)
    monkeypatch.setitem(deciding.GRAPHS, REDUCED, Noisy)
    with pytest.raises(InputError) as caught:
        publish(ranker, what, tmp_path)
    text = str(caught.value)
    assert text.startswith("serving.precision: expected float32")
    assert "click auc 0." in text and "(at most 0.0005 may be lost)" in text and "of the top 10 in common" in text
    assert not list((tmp_path / "versions").iterdir())


def test_a_machine_that_cannot_check_it_publishes_nothing(
    asking: tuple[MultiTaskRanker, Release], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deciding, "why_not", lambda _: "OpenVINO is not installed")
    with pytest.raises(InputError, match="expected a machine to check it on, found OpenVINO is not installed"):
        publish(*asking, tmp_path)


def test_float32_needs_no_check(release: tuple[MultiTaskRanker, Release], tmp_path: Path) -> None:
    ranker, what = release
    policy = next(iter(what.config.policies.values()))
    assert (
        settle(Precision.FLOAT32, ranker, what.config.tasks, policy, what.dataset.splits[VALID], tmp_path) == Serving()
    )


def test_a_graph_agrees_with_itself(release: tuple[MultiTaskRanker, Release], tmp_path: Path) -> None:
    ranker, what = release
    publish(ranker, what, tmp_path)
    [path] = tmp_path.glob("versions/*/graphs/rank.onnx")
    graph, policy = Float32Graph(path, 1), next(iter(what.config.policies.values()))
    found = compare(graph, graph, ranker, what.config.tasks, policy, what.dataset.splits[VALID])
    assert found.agreement == 1 and found.float32 == found.reduced
