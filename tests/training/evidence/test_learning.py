"""Learning curves: what training wrote, and what it tells."""

from pathlib import Path

import pytest

from tests.training.evidence.beside import beside
from training.evidence.learning import measure
from training.evidence.subject import Absent, Subject


def test_epochs_are_those_that_training_wrote(subject: Subject) -> None:
    found = measure(subject)
    assert len(found.epochs) == 2
    assert set(found.epochs[0].losses) == {"click", "watch_time", "like", "rating"}
    assert found.best.utility == max(one.utility for one in found.epochs)


def test_a_best_last_epoch_is_a_hint(subject: Subject, tmp_path: Path) -> None:
    def hints(*utilities: float) -> list[bool]:
        epochs = [
            {"epoch": at, "losses": {"a": 1.0}, "utility": one, "metrics": {}} for at, one in enumerate(utilities)
        ]
        return [alarm.serious for alarm in measure(beside(subject, tmp_path, history=epochs)).alarms]

    assert hints(0.1, 0.3, 0.2) == [] and hints(0.1, 0.2, 0.3) == [False] and hints(0.1) == []


def test_what_is_not_there_is_absent(subject: Subject, tmp_path: Path) -> None:
    with pytest.raises(Absent, match=r"no history.json"):
        measure(beside(subject, tmp_path))
