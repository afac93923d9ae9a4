"""MultiTaskRanker -> ONNX graphs: `request` once a request, `candidate` once a video, `rank` once a pair."""

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model.contract.features.interface import Arrays
from model.contract.graphs import BIAS_LOGITS, CANDIDATE, CANDIDATE_HALF, PREDICTIONS, RANK, REQUEST, REQUEST_HALF
from model.inputs import Batch
from model.ranker import MultiTaskRanker

LARGEST_INSIDE = 2**20  # bytes of weights; more lie in a file beside the graph, which processes map and share


class RequestGraph(nn.Module):
    def __init__(self, ranker: MultiTaskRanker) -> None:
        super().__init__()
        self.ranker = ranker

    def forward(self, arrays: Batch) -> tuple[Tensor, Tensor]:
        return self.ranker.request_half(arrays), self.ranker.bias_logits(arrays, as_logged=False)


class CandidateGraph(nn.Module):
    def __init__(self, ranker: MultiTaskRanker) -> None:
        super().__init__()
        self.ranker = ranker

    def forward(self, arrays: Batch) -> Tensor:
        return self.ranker.candidate_half(arrays)


class RankGraph(nn.Module):
    def __init__(self, ranker: MultiTaskRanker) -> None:
        super().__init__()
        self.ranker = ranker

    def forward(self, request_half: Tensor, bias_logits: Tensor, candidate_half: Tensor, arrays: Batch) -> Tensor:
        logits = self.ranker.logits(request_half, candidate_half, bias_logits, arrays)
        return self.ranker.calibration(logits)


def export_graphs(ranker: MultiTaskRanker, request: Batch, candidates: Batch, folder: Path) -> None:
    """Write the three graphs as NAME.onnx. `request` is one encoded request with one row, `candidates` two or more
    encoded candidates with their pair arrays; both only show the shapes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ranker = _with_tables_apart(ranker)
    inputs = ranker.inputs
    bias_names = ranker.position_bias.known_names if ranker.position_bias else []
    request_arrays = {name: request[name] for name in dict.fromkeys([*inputs.request_names, *bias_names])}
    candidate_arrays = {name: candidates[name] for name in inputs.candidate_names}
    pair_arrays = {name: candidates[name] for name in inputs.pair_names}
    with torch.no_grad():
        half, bias = RequestGraph(ranker)(request_arrays)
        vectors = CandidateGraph(ranker)(candidate_arrays)
    _export(
        RequestGraph(ranker), {"arrays": request_arrays}, [REQUEST_HALF, BIAS_LOGITS], folder / f"{REQUEST}.onnx", ()
    )
    _export(
        CandidateGraph(ranker),
        {"arrays": candidate_arrays},
        [CANDIDATE_HALF],
        folder / f"{CANDIDATE}.onnx",
        ("arrays",),
    )
    whole = {REQUEST_HALF: half, BIAS_LOGITS: bias, CANDIDATE_HALF: vectors, "arrays": pair_arrays}
    _export(RankGraph(ranker), whole, [PREDICTIONS], folder / f"{RANK}.onnx", (CANDIDATE_HALF, "arrays"))


def _with_tables_apart(ranker: MultiTaskRanker) -> MultiTaskRanker:
    """Of the same weights: what is fused for training would be in a graph as a whole, if it reads one feature of it."""
    weights = {id(one): one for one in (*ranker.parameters(), *ranker.buffers())}
    found = copy.deepcopy(ranker, weights)
    for one in found.inputs.copies:
        one.embeddings = one.embeddings.apart()
    return found


def _export(
    module: nn.Module,
    given: Mapping[str, Tensor | Batch],
    outputs: Sequence[str],
    path: Path,
    per_candidate: Sequence[str],
) -> None:
    """Arguments named in `per_candidate` have one row a candidate, of any number; all others keep their shape."""
    rows = torch.export.Dim("candidate")
    names: list[str] = []
    shapes: dict[str, object] = {}
    for name, value in given.items():
        rule = {0: rows} if name in per_candidate else None
        names += [name] if isinstance(value, Tensor) else list(value)
        shapes[name] = rule if isinstance(value, Tensor) else dict.fromkeys(value, rule)
    # The exporter tells its progress and torch's own deprecations to whoever runs it: no news for our users.
    for logger in ("torch.onnx", "onnx_ir"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(),
            (),
            kwargs=dict(given),
            input_names=names,
            output_names=list(outputs),
            dynamic_shapes=shapes,
            dynamo=True,
            verbose=False,
        )
        assert program is not None  # it is of the legacy exporter only
        _rename_inner(program.model.graph)
        weights = sum(one.const_value.nbytes for one in program.model.graph.initializers.values() if one.const_value)
        program.save(path, external_data=weights > LARGEST_INSIDE)


def _rename_inner(graph: onnx_ir.Graph) -> None:
    """The exporter names inner values after operators, `cat` or `relu`, as a feature may be called too: no feature's
    name has a slash.
    """
    inner = [*graph.initializers.values(), *(value for node in graph for value in node.outputs)]
    for at, value in enumerate(value for value in inner if not value.is_graph_output()):
        value.name = f"/{at}"


def run_graphs(folder: Path, arrays: Arrays) -> NDArray[np.float32]:
    """`[candidate, task]`: what the exported graphs predict for one request, whose arrays are repeated in every row."""
    sessions = {name: onnxruntime.InferenceSession(folder / f"{name}.onnx") for name in (REQUEST, CANDIDATE, RANK)}

    def run(name: str, given: Arrays) -> list[Any]:
        wanted = [one.name for one in sessions[name].get_inputs()]
        return list(sessions[name].run(None, {one: given[one] for one in wanted}))

    half, bias = run(REQUEST, {name: np.array(array[:1]) for name, array in arrays.items()})
    [candidates] = run(CANDIDATE, arrays)
    [predictions] = run(RANK, arrays | {REQUEST_HALF: half, BIAS_LOGITS: bias, CANDIDATE_HALF: candidates})
    return np.asarray(predictions)
