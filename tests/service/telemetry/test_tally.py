"""Tallies: counted exactly, read by all, forgotten when nobody needs them, and a window that moves on."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model.contract.drift import Codes, Intervals
from service.telemetry.tally import NUM_SLOTS, SLOT_REQUESTS, Layout, Tally, read

LAYOUT = Layout(families={"number": {"a": Intervals(edges=(1.0, 2.0))}, "code": {"b": Codes(codes=(5, 9))}})
A, B = ("number", "a"), ("code", "b")
FROM_ANOTHER_PROCESS = """
import sys
import numpy as np
from pathlib import Path
from service.telemetry.tally import Layout, Tally
from model.contract.drift import Codes, Intervals
layout = Layout(families={"number": {"a": Intervals(edges=(1.0, 2.0))}, "code": {"b": Codes(codes=(5, 9))}})
tally = Tally(Path(sys.argv[1]), layout)
tally.add(("number", "a"), np.array([0.5, 7.0]))
tally.end_of(1)
"""


def test_values_are_counted_and_summed(tmp_path: Path) -> None:
    tally = Tally(tmp_path, LAYOUT)
    tally.add(A, np.array([0.5, 1.0, 3.0, np.nan]))
    tally.add(B, np.array([0, 5, 5, 7, 1]))
    tally.add(("number", "unheard of"), np.array([1.0]))
    tally.end_of(1)
    found = dict(read(tmp_path))
    assert found[A].total.tolist() == found[A].window.tolist() == [2, 0, 1, 1] and found[A].sum == 4.5
    assert found[B].total.tolist() == [1, 1, 2, 0, 1]


def test_what_another_process_counted_stays_but_leaves_the_window(tmp_path: Path) -> None:
    tally = Tally(tmp_path, LAYOUT)
    tally.add(A, np.array([1.5]))
    tally.end_of(1)
    subprocess.run([sys.executable, "-c", FROM_ANOTHER_PROCESS, str(tmp_path)], check=True, timeout=60)
    found = dict(read(tmp_path))[A]
    assert found.total.tolist() == [1, 1, 1, 0] and found.sum == 9.0
    assert found.window.tolist() == [0, 1, 0, 0]
    tally.close()
    assert not tmp_path.exists() and not list(read(tmp_path))


def test_the_window_forgets(tmp_path: Path) -> None:
    tally = Tally(tmp_path, LAYOUT)
    tally.add(A, np.array([0.0]))
    tally.end_of(SLOT_REQUESTS)
    for _ in range(NUM_SLOTS - 1):
        tally.add(A, np.array([9.0]))
        tally.end_of(SLOT_REQUESTS)
    assert dict(read(tmp_path))[A].window.tolist() == [1, 0, NUM_SLOTS - 1, 0]
    tally.end_of(1)
    found = dict(read(tmp_path))[A]
    assert found.window.tolist() == [0, 0, NUM_SLOTS - 1, 0] and found.total.sum() == NUM_SLOTS


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    Tally(tmp_path, LAYOUT)
    assert {path.name for path in tmp_path.iterdir()} == {"layout.json", f"{os.getpid()}.npy"}
    assert dict(read(tmp_path))[B].total.sum() == pytest.approx(0)
