"""Execution: both precisions run the same graph, from any thread; what a machine lacks is told."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info
from onnx.numpy_helper import from_array

from model.contract.execution import GRAPHS, why_not
from model.contract.graphs import ENTERED
from model.contract.mistakes import InputError
from model.contract.serving import Precision

HALVES = f"{ENTERED}halves"
WEIGHT = np.random.default_rng(0).normal(size=(64, 32)).astype(np.float32)


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """product = halves @ WEIGHT, doubled = 2 product."""
    nodes = [
        make_node("MatMul", [HALVES, "weight"], ["product"]),
        make_node("Add", ["product"] * 2, ["doubled"]),
    ]
    sizes = {"product": [None, 32], "doubled": [None, 32]}
    outputs = [make_tensor_value_info(name, TensorProto.FLOAT, size) for name, size in sizes.items()]
    inputs = [make_tensor_value_info(HALVES, TensorProto.FLOAT, [None, 64])]
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

    def run(one: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        sums = opened.sums(len(one))
        sums.add(np.zeros((1, 64), dtype=np.float32), one, np.arange(len(one), dtype=np.int32))
        return opened.run({"unread": one} | sums.arrays, "doubled", "product")

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(run, given * 5))
    assert list(opened.inputs) == [HALVES]
    rough = {Precision.FLOAT32: 1e-4, Precision.BFLOAT16: 0.3}[precision]
    for one, (doubled, product) in zip(given * 5, found, strict=True):
        np.testing.assert_allclose(product, one @ WEIGHT, atol=rough)
        np.testing.assert_allclose(doubled, 2 * product, atol=rough)
    if precision is not Precision.FLOAT32:
        assert np.abs(found[-1][1] - given[-1] @ WEIGHT).max() > 1e-4  # else nothing was reduced


def test_a_thread_has_room_of_its_own_and_again_the_same(graph: Path) -> None:
    opened = GRAPHS[Precision.FLOAT32](graph, 1)
    first = opened.sums(3)
    assert opened.sums(3) is first and opened.sums(2).arrays[HALVES].shape == (2, 64)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(opened.sums, 3).result() is not opened.sums(3)


def test_what_is_no_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rank.onnx").write_bytes(b"not a graph")
    with pytest.raises(InputError, match="expected a graph that ONNX Runtime can load"):
        GRAPHS[Precision.FLOAT32](tmp_path / "rank.onnx", 1)


def test_a_library_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert why_not(Precision.FLOAT32) is None
    assert "watchnext[bfloat16]" in str(why_not(Precision.BFLOAT16))
