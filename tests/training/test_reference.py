"""Reference figures: of what was trained on, and of what is predicted as served."""

import numpy as np
import pytest

from model.contract.drift import is_watched, psi, quantities
from model.ranker import MultiTaskRanker
from training.evaluation import compute_logits, predict
from training.publish import Release
from training.reference import reference_figures
from training.splits import TRAIN, VALID


def test_validation_itself_has_not_drifted(release: tuple[MultiTaskRanker, Release]) -> None:
    ranker, what = release
    reference = reference_figures(ranker, what.dataset, what.config)
    found = predict(ranker.calibration, compute_logits(ranker, what.dataset.splits[VALID]))
    assert list(reference.predictions) == [task.name for task in what.config.tasks]
    for at, distribution in enumerate(reference.predictions.values()):
        counts = distribution.count(found[:, at]).astype(np.float64)
        assert psi(np.array(distribution.shares), counts) == pytest.approx(0, abs=1e-3)
    assert reference.scores.keys() == what.config.policies.keys()
    assert all(sum(one.shares) == pytest.approx(1) for one in reference.scores.values())


def test_features_are_those_of_the_training_split(release: tuple[MultiTaskRanker, Release]) -> None:
    ranker, what = release
    reference = reference_figures(ranker, what.dataset, what.config)
    schema, arrays = what.dataset.schema, what.dataset.splits[TRAIN].arrays
    watched = {
        name: values
        for spec in schema.specs.values()
        if is_watched(spec, schema)
        for name, values in quantities(spec, np.asarray(arrays[spec.name]))
    }
    assert watched.keys() == reference.features.keys() and watched
    for name, distribution in reference.features.items():
        shares = distribution.count(watched[name]) / len(watched[name])
        assert distribution.shares == pytest.approx(shares, abs=1e-9)
