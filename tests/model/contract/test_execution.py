"""Execution: both precisions run the same graph, from any thread; what a machine lacks is told."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info
from onnx.numpy_helper import from_array

from model.contract.bfloat16 import rounded, widened
from model.contract.execution import GRAPHS, why_not
from model.contract.graphs import CANDIDATE_HALF
from model.contract.mistakes import InputError
from model.contract.serving import Precision

WEIGHT = np.random.default_rng(0).normal(size=(64, 32)).astype(np.float32)


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """product = candidate_half @ WEIGHT, doubled = 2 product."""
    nodes = [
        make_node("MatMul", [CANDIDATE_HALF, "weight"], ["product"]),
        make_node("Add", ["product"] * 2, ["doubled"]),
    ]
    sizes = {"product": [None, 32], "doubled": [None, 32]}
    outputs = [make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in sizes.items()]
    inputs = [make_tensor_value_info(CANDIDATE_HALF, TensorProto.FLOAT, [None, 64])]
    made = make_graph(nodes, "product", inputs, outputs, [from_array(WEIGHT, "weight")])
    path = tmp_path / "product.onnx"
    path.write_bytes(make_model(made, ir_version=10, opset_imports=[make_opsetid("", 18)]).SerializeToString())
    return path


@pytest.mark.parametrize("precision", Precision)
def test_it_gives_what_is_asked_for_by_name_to_many_threads(graph: Path, precision: Precision) -> None:
    if reason := why_not(precision):
        pytest.skip(reason)
    opened = GRAPHS[precision](graph, 1)
    given = [np.random.default_rng(at).normal(size=(at + 1, 64)).astype(np.float32) for at in range(16)]
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda one: opened.run({CANDIDATE_HALF: one, "unread": one}, "doubled", "product"), given * 5)
        )
    assert list(opened.inputs) == [CANDIDATE_HALF]
    rough = {Precision.FLOAT32: 1e-4, Precision.BFLOAT16: 0.3}[precision]
    for one, (doubled, product) in zip(given * 5, found, strict=True):
        np.testing.assert_allclose(product, one @ WEIGHT, atol=rough)
        np.testing.assert_allclose(doubled, 2 * product, atol=rough)
    if precision is not Precision.FLOAT32:
        assert np.abs(found[-1][1] - given[-1] @ WEIGHT).max() > 1e-4  # else nothing was reduced


@pytest.mark.parametrize("precision", Precision)
def test_halves_of_half_the_width_are_the_same_numbers(graph: Path, precision: Precision) -> None:
    if reason := why_not(precision):
        pytest.skip(reason)
    opened = GRAPHS[precision](graph, 1)
    narrow = rounded(np.random.default_rng(0).normal(size=(5, 64)).astype(np.float32))
    wide = widened(narrow)
    for _ in range(2):
        found, expected = (opened.run({CANDIDATE_HALF: one}, "product")[0] for one in (narrow, wide))
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
        narrow, wide = narrow[:3], wide[:3]


def test_what_is_no_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rank.onnx").write_bytes(b"not a graph")
    with pytest.raises(InputError, match="expected a graph that ONNX Runtime can load"):
        GRAPHS[Precision.FLOAT32](tmp_path / "rank.onnx", 1)


def test_a_library_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert why_not(Precision.FLOAT32) is None
    assert "watchnext[bfloat16]" in str(why_not(Precision.BFLOAT16))
