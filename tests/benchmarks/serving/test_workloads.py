"""Workloads: the same candidates by id, in JSON and in Arrow, as the service reads them."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks.serving.reference import CANDIDATE_FEATURES
from benchmarks.serving.workloads import Workload, by_arrow, by_ids, by_json, write_bodies
from model.contract.request import RankRequest
from service.http.arrow import parse_arrow
from service.telemetry.trace import Trace


def test_every_way_to_put_it_has_the_same_candidates() -> None:
    bodies = [workload(20).bodies(num_videos=50)[3] for workload in (by_ids, by_json, by_arrow)]
    ids, inline = (RankRequest.model_validate_json(body, strict=True) for body in bodies[:2])
    table = parse_arrow(bodies[2], Trace())
    assert ids.ids == inline.ids == table.ids and len(set(ids.ids)) == 20
    assert ids.user == inline.user == table.user and ids.context == table.context
    assert not ids.inline and list(inline.inline) == list(table.inline) == CANDIDATE_FEATURES
    for name, column in inline.inline.items():
        assert list(column.values) == list(table.inline[name].values)


@pytest.mark.parametrize("workload", [by_ids(3), by_json(3), by_arrow(3)])
def test_bodies_are_read_back_by_their_lengths(workload: Workload, tmp_path: Path) -> None:
    bodies = workload.bodies(num_videos=10)
    write_bodies(bodies, tmp_path / "bodies")
    with (tmp_path / "bodies").open("rb") as file:
        found = [file.read(int(line)) for line in iter(file.readline, b"")]
    assert found == bodies
    assert all(json.loads(one) if not workload.is_arrow else pa.ipc.open_stream(one).schema for one in found)
