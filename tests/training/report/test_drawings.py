"""Drawings of evidence that a small run does not have: many gates, every arm, names that may be anything."""

import xml.etree.ElementTree as ElementTree

from model.contract.tasks import Task
from training.evidence.draws import Interval
from training.evidence.experts import Experts
from training.evidence.gains import Comparison, Cost, Gain, Gains
from training.evidence.slices import SliceQuality, Slices, TaskSlices
from training.evidence.support import SupportCurve, TaskSupport
from training.health import ExpertHealth, ExpertsHealth, GateHealth
from training.report import experts, gains, slices, support
from training.report.exhibit import Exhibit
from training.report.style import style

CLICK = Task.model_validate({"name": "click", "group": "e", "kind": "binary", "label": "c"})
WATCH = Task.model_validate({"name": "watch", "group": "e", "kind": "regression", "label": "w"})


def around(value: float, half: float = 0.01) -> Interval:
    return Interval(value, value - half, value + half)


def drawn_well(exhibit: Exhibit) -> None:
    names = [one.name for one in exhibit.pictures]
    assert len(set(names)) == len(names)
    for one in exhibit.pictures:
        assert ElementTree.fromstring(one.svg).tag.endswith("svg") and one.png.startswith(b"\x89PNG")
        assert one.shows and b"/home" not in one.svg


def test_each_gate_has_a_map_and_dead_experts_stand_out() -> None:
    def gate(name: str) -> GateHealth:
        return GateHealth(name=name, tasks=((0.98, 0.01, 0.01), (0.2, 0.3, 0.5)), entropy=(0.1, 0.9))

    dead = (
        ExpertsHealth(name="first", dead_units=(0.95, 0.1)),
        ExpertsHealth(name="first of click", dead_units=(0.0,)),
    )
    health = ExpertHealth(gates=(gate("first"), gate("second")), experts=dead)
    with style():
        exhibit = experts.draw(Experts(("click", "watch"), health))
    drawn_well(exhibit)
    assert [one.name for one in exhibit.pictures] == ["experts-first", "experts-second"]
    [table] = exhibit.tables
    assert [cell.look for cell in table.rows[0]] == ["", "bad", ""] and len(table.rows[1]) == len(table.head)


def test_gains_and_losses_are_told_apart() -> None:
    arms = {"mmoe": (-0.01, -0.02, -0.005), "ple": (0.01, 0.005, 0.02), "mtan": (0.0, -0.01, 0.01)}
    rows = [Gain(arm="single", task="click", metric="auc", mean=0.7, gain=0, low=None, high=None)]
    rows += [
        Gain(arm=arm, task="click", metric=metric, mean=0.7, gain=gain, low=low, high=high)
        for arm, (gain, low, high) in arms.items()
        for metric in ("auc", "gauc")  # the verdict goes by the first
    ]
    costs = {"mmoe": Cost(parameters=1200, multiplications=5, seconds=None)}
    with style():
        exhibit = gains.draw(Comparison(Gains(run="r", rows=tuple(rows), costs=costs, verdict=("so",)), "mmoe"))
    drawn_well(exhibit)
    by_arm = {row[0].text: row for row in exhibit.tables[0].rows}
    assert {arm: row[1].look for arm, row in by_arm.items()} == {
        "single": "",
        "mmoe": "bad",
        "ple": "good",
        "mtan": "quiet",
    }
    assert by_arm["mmoe"][0].under == "this run" and by_arm["mmoe"][2].text == "1,200"
    assert "AUC" in by_arm["ple"][1].under and "GAUC" not in by_arm["ple"][1].under


def test_support_is_drawn_with_better_above() -> None:
    supports = (0, 1, 5)
    better = [
        TaskSupport(CLICK, "auc", tuple(map(around, (0.6, 0.65, 0.7))), tuple(map(around, (0.0, 0.05, 0.1)))),
        TaskSupport(
            WATCH, "rmse_transformed", tuple(map(around, (1.2, 1.1, 1.0))), tuple(map(around, (0.0, 0.1, 0.2)))
        ),
    ]
    with style():
        exhibit = support.draw(SupportCurve(supports, (90, 80, 40), 90, 500, tuple(better)))
    drawn_well(exhibit)
    assert "0.7000 with 5" in exhibit.pictures[0].shows and "80 have 1, 40 have 5" in exhibit.notes[0]


def test_a_task_without_slices_is_left_out() -> None:
    parts = (SliceQuality("a_feature_with_a_very_long_name_that_goes_on: 1 to 2", 300, around(0.6)),)
    some = TaskSlices(CLICK, "auc", around(0.7), parts, parts)
    none = TaskSlices(WATCH, "rmse_transformed", around(1.0), (), ())
    with style():
        exhibit = slices.draw(Slices((some, none)))
    drawn_well(exhibit)
    assert [one.name for one in exhibit.pictures] == ["slices-click"]


def test_names_of_users_may_hold_anything() -> None:
    """A slash is no folder, a dollar no formula; of a script without a font there is no warning."""
    part = SliceQuality("price = $5_{x \u4f60\u597d $", 300, around(0.6))
    task = CLICK.model_copy(update={"name": "a/b $"})
    with style():
        exhibit = slices.draw(Slices((TaskSlices(task, "auc", around(0.7), (part,), ()),)))
    drawn_well(exhibit)
    assert exhibit.pictures[0].name == "slices-a-b-"
