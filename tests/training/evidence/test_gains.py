"""Gains: what `watchnext compare` left, and whether it is alarming."""

import math
from pathlib import Path

import pytest

from tests.training.evidence.beside import beside
from training.evidence.gains import measure
from training.evidence.subject import Absent, Subject

ROW = {"arm": "mmoe", "task": "click", "metric": "auc", "mean": 0.7, "gain": -0.004, "low": -0.006, "high": -0.002}


def test_only_a_sure_loss_of_this_architecture_is_negative_transfer(subject: Subject, tmp_path: Path) -> None:
    rows = [ROW, ROW | {"arm": "ple"}, ROW | {"task": "like", "high": 0.001}, ROW | {"arm": "single", "gain": None}]
    costs = {"mmoe": {"parameters": 10, "multiplications": 20, "seconds": None}}
    comparison = {"run": subject.run.identity, "rows": rows, "costs": costs, "verdict": ["so"], "seeds": [0, 1]}
    found = measure(beside(subject, tmp_path, comparison=comparison))
    [alarm] = found.alarms
    assert alarm.serious and alarm.text.startswith("Negative transfer: click loses 0.0040 AUC")
    assert math.isnan(found.gains.rows[3].gain) and math.isnan(found.gains.costs["mmoe"].seconds)


def test_what_is_not_there_or_damaged_is_absent(subject: Subject, tmp_path: Path) -> None:
    with pytest.raises(Absent, match="`watchnext compare` has not been run"):
        measure(beside(subject, tmp_path))
    with pytest.raises(Absent, match=r"comparison.json is damaged"):
        measure(beside(subject, tmp_path, comparison="{"))
    stale = {"run": "of another config", "rows": [], "costs": {}, "verdict": []}
    with pytest.raises(Absent, match="before the config or the data changed"):
        measure(beside(subject, tmp_path, comparison=stale))
