"""A task: options that fit its kind, and the bounds that follow from them."""

import math
from typing import Any

import pytest
from pydantic import ValidationError

from model.contract.tasks import Task

INF = math.inf


def task(**options: Any) -> Task:
    return Task.model_validate({"name": "t", "group": "g", "label": "l", "kind": "regression"} | options)


@pytest.mark.parametrize(
    ("options", "bounds"),
    [
        ({"kind": "binary"}, (0, 1)),
        ({}, (-INF, INF)),
        ({"transform": "log1p"}, (0, INF)),
        ({"range": [1, 5]}, (1, 5)),
        ({"range": [-1, 5], "transform": "log1p"}, (-1, 5)),
    ],
)
def test_bounds(options: dict[str, Any], bounds: tuple[float, float]) -> None:
    assert task(**options).bounds == bounds


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"kind": "binary", "transform": "log1p"}, "no `transform` or `range` on a binary task"),
        ({"kind": "binary", "range": [0, 1]}, "no `transform` or `range` on a binary task"),
        ({"range": [5, 5]}, "two rising numbers"),
        ({"range": [5, 1]}, "two rising numbers"),
        ({"range": [0, INF]}, "finite"),
        ({"loss_weight": -1}, "greater than or equal to 0"),
        ({"kind": "ranking"}, "'binary' or 'regression'"),
        ({"name": "a b"}, "match pattern"),
        ({"wieght": 1}, "Extra inputs"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        task(**options)
