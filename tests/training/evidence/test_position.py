"""Position: the tower's effect and nothing else, place by place."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from training.evidence.position import EVERYWHERE, measure
from training.evidence.subject import Absent, Subject


def test_a_tower_that_says_nothing_is_a_flat_line_at_what_is_served(subject: Subject) -> None:
    ranker = copy.deepcopy(subject.ranker)
    with torch.no_grad():
        for one in ranker.position_bias.cross.parameters():
            one.zero_()
    still = measure(replace(subject, ranker=ranker))
    moving = measure(subject)
    assert still.values == tuple(str(place) for place in range(1, 13))  # as numbers, not as text
    for task, curve in still.curves.items():
        assert curve.lines[EVERYWHERE] == pytest.approx(np.full(12, curve.served), rel=1e-5)
        assert np.ptp(moving.curves[task].lines[EVERYWHERE]) > 0


def test_what_was_learned_falls_as_clicks_do(subject: Subject) -> None:
    effect = measure(subject)
    click = effect.curves["click"]
    assert click.lines[EVERYWHERE][0] > click.lines[EVERYWHERE][-1]
    assert click.logged[0] > click.logged[-1]
    split = subject.test.split
    codes = np.asarray(split.arrays["position"])
    first = subject.dataset.encoder.fitted.vocabularies["position"].codes(["1"])[0]
    assert click.logged[0] == pytest.approx(split.values[codes == first, 0].mean())
    assert effect.crossed == "device" and len(click.lines) > 2


def test_without_a_tower_there_is_nothing(subject: Subject) -> None:
    ranker = copy.deepcopy(subject.ranker)
    ranker.position_bias = None
    with pytest.raises(Absent, match="no `position_bias`"):
        measure(replace(subject, ranker=ranker))
