"""Experts: the health that training reads, with its alarms as sentences."""

from dataclasses import replace

import pytest

from model.sharing.shared_bottom import SharedBottomConfig
from training.evidence.experts import measure
from training.evidence.subject import Absent, Subject
from training.loop import build_ranker


def test_experts_are_read_and_their_alarms_are_sentences(subject: Subject) -> None:
    found = measure(subject)
    assert len(found.health.gates[0].tasks) == len(found.tasks) == 4
    alarmed = replace(found, health=found.health.model_copy(update={"alarms": ("gate polarises: `click`",)}))
    assert [alarm.text for alarm in alarmed.alarms] == ["Gate polarises: `click`."]


def test_a_shared_bottom_has_no_gates(subject: Subject) -> None:
    config = subject.run.config.model_copy(update={"sharing": SharedBottomConfig(units=(8,))})
    other = replace(subject, run=replace(subject.run, config=config), ranker=build_ranker(config, subject.dataset))
    with pytest.raises(Absent, match="`shared_bottom` has no gates"):
        measure(other)
