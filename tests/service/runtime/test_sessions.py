"""Runtime: refuses graphs that are not what the schema promises."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info
from onnx.numpy_helper import from_array

from model.contract.bundle import Bundle, read_bundle
from model.contract.graphs import BIAS_LOGITS, CANDIDATE_HALF, ENTERED, PREDICTIONS, REQUEST_HALF
from model.contract.mistakes import InputError
from service.runtime.sessions import Runtime
from tests.service.small_bundle import VERSION, schema_of


@pytest.fixture
def bundle(own_registry: Path) -> Bundle:
    return read_bundle(own_registry / "versions" / VERSION)


def fewer_tasks(bundle: Bundle) -> Bundle:
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"tasks": bundle.tasks[:2]}))


def other_features(bundle: Bundle) -> Bundle:
    schema = schema_of(one for one in bundle.schema.features if one.name != "title")
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"feature_schema": schema}))


def longer_vectors(bundle: Bundle) -> Bundle:
    features = [one.model_copy(update={"length": 9}) if one.name == "title" else one for one in bundle.schema.features]
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"feature_schema": schema_of(features)}))


def other_halves(bundle: Bundle) -> Bundle:
    return replace(bundle, halves=replace(bundle.halves, places=bundle.halves.places[:-2]))


def narrow_halves(bundle: Bundle) -> Bundle:
    return replace(bundle, halves=replace(bundle.halves, values=bundle.halves.values[:, :3]))


def request_of_another(bundle: Bundle) -> Bundle:
    """Whose half is narrower."""
    shapes = {REQUEST_HALF: (1, 3), BIAS_LOGITS: (1, len(bundle.tasks))}
    zeros = [from_array(np.zeros(shape, dtype=np.float32), name) for name, shape in shapes.items()]
    outputs = [make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    graph = make_graph([], "request", [], outputs, zeros)
    model = make_model(graph, ir_version=10, opset_imports=[make_opsetid("", 18)])
    bundle.graph("request").write_bytes(model.SerializeToString())
    return bundle


def other_parts(bundle: Bundle) -> Bundle:
    """A rank graph that reads narrower sums."""
    half, bias = np.zeros((2, 3), dtype=np.float32), np.zeros((1, len(bundle.tasks)), dtype=np.float32)
    inputs = [
        make_tensor_value_info(name, TensorProto.FLOAT, [None, one.shape[1]])
        for name, one in ((f"{ENTERED}h", half), (BIAS_LOGITS, bias))
    ]
    output = make_tensor_value_info(PREDICTIONS, TensorProto.FLOAT, [None, len(bundle.tasks)])
    graph = make_graph([make_node("Identity", [BIAS_LOGITS], [PREDICTIONS])], "rank", inputs, [output])
    model = make_model(graph, ir_version=10, opset_imports=[make_opsetid("", 18)])
    bundle.graph("rank").write_bytes(model.SerializeToString())
    return bundle


def sums_for_a_candidate(bundle: Bundle) -> Bundle:
    """Its graph reads what is for the rank graph alone."""
    values = [(f"{ENTERED}h", bundle.halves.dim), (CANDIDATE_HALF, bundle.halves.dim)]
    read, told = (make_tensor_value_info(name, TensorProto.FLOAT, [None, width]) for name, width in values)
    graph = make_graph([make_node("Identity", [read.name], [told.name])], "candidate", [read], [told])
    model = make_model(graph, ir_version=10, opset_imports=[make_opsetid("", 18)])
    bundle.graph("candidate").write_bytes(model.SerializeToString())
    return bundle


def swapped_graphs(bundle: Bundle) -> Bundle:
    bundle.graph("rank").write_bytes(bundle.graph("request").read_bytes())
    return bundle


def no_graph(bundle: Bundle) -> Bundle:
    bundle.graph("rank").write_bytes(b"not a graph")
    return bundle


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (fewer_tasks, r"request\.onnx: output `bias_logits`: expected tensor\(float\) of shape \[rows, 2\]"),
        (other_features, r"candidate\.onnx: inputs: expected an encoded array of the schema .* found `title`"),
        (longer_vectors, r"candidate\.onnx: input `title`: expected tensor\(float\) of shape \[rows, 10\]"),
        (other_halves, r"expected halves for a catalog of \d+ videos, found places of \d+"),
        (
            other_parts,
            r"rank\.onnx: inputs: expected sums of halves, of \d+ columns in all, found `entered\.h` \[3\]",
        ),
        (narrow_halves, r"request\.onnx: output `request_half`: expected tensor\(float\) of shape \[rows, 3\]"),
        (request_of_another, r"request\.onnx: output `request_half`: expected tensor\(float\) of shape \[rows, \d+\]"),
        (
            sums_for_a_candidate,
            r"candidate\.onnx: inputs: expected an encoded array of the schema .* found `entered\.h`",
        ),
        (swapped_graphs, r"rank\.onnx: inputs: expected an encoded array"),
        (no_graph, r"rank\.onnx: expected a graph that ONNX Runtime can load"),
    ],
)
def test_what_does_not_fit_is_refused(bundle: Bundle, change: Callable[[Bundle], Bundle], told: str) -> None:
    with pytest.raises(InputError, match=told):
        Runtime(change(bundle), num_threads=1)


def test_what_fits_is_taken(bundle: Bundle) -> None:
    Runtime(bundle, num_threads=2)
