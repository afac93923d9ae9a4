"""The last line of the benchmark of training: ratios of one run."""

import pytest

from benchmarks.training import summary
from benchmarks.training_arms.job import Measured


def measured(rows_per_s: float, auc: float) -> Measured:
    return Measured(rows_per_s, 2 * rows_per_s, 1.0, 100.0, (auc, auc))


FOUND = {
    ("watchnext", 1000): [measured(30.0, 0.75), measured(50.0, 0.75), measured(40.0, 0.75)],
    ("torch_rechub", 1000): [measured(10.0, 0.74)],
    ("watchnext", 5000): [measured(32.0, 0.7)],
}


def test_ratios_are_of_medians_and_growth_is_of_the_time_of_a_row() -> None:
    found = summary(FOUND, [1000, 5000], {"tables": 7.0, "log": 5.0})
    assert found["watchnext_over_torch_rechub"] == {"1000": 4.0}
    assert found["auc_difference"] == {"1000": pytest.approx(0.01)}
    assert found["epoch_cost_growth"] == pytest.approx(0.25)
    assert (found["prepare_rows_per_s"], found["prepare_rows_per_s_log"]) == (7.0, 5.0)


def test_what_was_left_out_is_left_out() -> None:
    only = {key: some for key, some in FOUND.items() if key[0] == "torch_rechub"}
    found = summary(only, [1000], {})
    assert found["watchnext_over_torch_rechub"] == {}
    assert found["epoch_cost_growth"] is None
