"""The exported graphs are the ranker, for any number of candidates."""

from pathlib import Path

import onnx
import pytest

from model.contract.features.interface import REQUEST_SIDES, Side
from model.contract.graphs import (
    BIAS_LOGITS,
    CANDIDATE,
    CANDIDATE_HALF,
    ENTERED,
    MEMORIES,
    PREDICTIONS,
    RANK,
    RECTIFIED,
    REQUEST,
    REQUEST_HALF,
)
from tests.model.exporting import check, export_apart, variants

each_variant = pytest.mark.parametrize("name", variants())


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    export_apart(folder)
    return folder


@each_variant
@pytest.mark.parametrize("num_candidates", [1, 2, 500])
def test_graphs_predict_what_torch_predicts(exported: Path, name: str, num_candidates: int) -> None:
    check(variants()[name], exported / name, num_candidates)


@each_variant
def test_graphs_are_sound_read_their_own_side_and_never_the_position(exported: Path, name: str) -> None:
    specs, ranker = variants()[name].schema.specs.values(), variants()[name].ranker
    memories = [MEMORIES] if ranker.inputs.copies[0].attentions else []
    parts = {f"{RECTIFIED if one in ranker.rectified else ENTERED}{one}" for one in ranker.parts}
    sides = {
        REQUEST: {one.name for one in specs if one.side in REQUEST_SIDES and not one.hidden},
        CANDIDATE: {one.name for one in specs if one.side is Side.CANDIDATE},
        RANK: {one.name for one in specs if one.side is Side.PAIR} | {BIAS_LOGITS, *memories, *parts},
    }
    outputs = {REQUEST: [REQUEST_HALF, BIAS_LOGITS, *memories], CANDIDATE: [CANDIDATE_HALF], RANK: [PREDICTIONS]}
    for graph, expected in sides.items():
        path = exported / name / f"{graph}.onnx"
        onnx.checker.check_model(path, full_check=True)
        found = onnx.load(path).graph
        assert {one.name for one in found.input} == expected
        assert [one.name for one in found.output] == outputs[graph]


def test_each_graph_is_one_file(exported: Path) -> None:
    names = sorted(path.name for path in (exported / "everything").iterdir())
    assert names == [f"{graph}.onnx" for graph in (CANDIDATE, RANK, REQUEST)]


@each_variant
def test_each_graph_takes_along_the_tables_that_it_reads_and_no_others(exported: Path, name: str) -> None:
    inputs = variants()[name].ranker.inputs
    embeddings, num_copies = inputs.copies[0].embeddings, len(inputs.copies)
    sides = {REQUEST: inputs.request_names, CANDIDATE: inputs.candidate_names, RANK: inputs.pair_names}
    for graph, arrays in sides.items():
        read = {embeddings.arrays[array] for array in arrays if array in embeddings.arrays}
        initializers = onnx.load(exported / name / f"{graph}.onnx").graph.initializer
        found = sorted(tuple(one.dims) for one in initializers if tuple(one.dims) in embeddings.sizes.values())
        assert found == sorted(embeddings.sizes[table] for table in read for _ in range(num_copies))
