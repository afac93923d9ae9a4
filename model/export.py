"""MultiTaskRanker -> ONNX graphs: `request` once a request, `candidate` once a video, `rank` once a pair."""

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx_ir
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from model.contract.features.interface import Arrays
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
from model.contract.serving import Precision
from model.contract.sums import Layout, Sums
from model.inputs import Batch
from model.ranker import MultiTaskRanker

TOTAL = "total"
NAMES = {"memories": MEMORIES}  # of arguments, where graphs have another
LARGEST_INSIDE = 2**20  # bytes of weights; more lie in a file beside the graph, which processes map and share


class RequestGraph(nn.Module):
    def __init__(self, ranker: MultiTaskRanker) -> None:
        super().__init__()
        self.ranker = ranker

    def forward(self, arrays: Batch) -> tuple[Tensor, ...]:
        half, memories = self.ranker.of_request(arrays)
        return half, self.ranker.bias_logits(arrays, as_logged=False), *([] if memories is None else [memories])


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

    def forward(
        self, total: Mapping[str, Tensor], bias_logits: Tensor, arrays: Batch, memories: Tensor | None = None
    ) -> Tensor:
        """What is rectified has its networks in front of the candidates: so they are multiplied."""
        parts = {name.partition(".")[2]: part.movedim(_rows(name), 0) for name, part in total.items()}
        return self.ranker.calibration(self.ranker.logits(parts, memories, bias_logits, arrays))


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
        half, bias, *memories = RequestGraph(ranker)(request_arrays)
        apart = ranker.apart(half + CandidateGraph(ranker)(candidate_arrays))
    given = [REQUEST_HALF, BIAS_LOGITS, *([MEMORIES] if memories else [])]
    _export(RequestGraph(ranker), {"arrays": request_arrays}, given, folder / f"{REQUEST}.onnx", {})
    of_candidate, rows = {"arrays": candidate_arrays}, dict.fromkeys(candidate_arrays, 0)
    _export(CandidateGraph(ranker), of_candidate, [CANDIDATE_HALF], folder / f"{CANDIDATE}.onnx", rows)
    named = {f"{RECTIFIED if name in ranker.rectified else ENTERED}{name}": one for name, one in apart.items()}
    parts = {name: part.movedim(0, _rows(name)).contiguous() for name, part in named.items()}
    read = {TOTAL: parts, BIAS_LOGITS: bias, "arrays": pair_arrays} | dict(zip(["memories"], memories, strict=False))
    rows = {name: _rows(name) for name in (*parts, *pair_arrays)}
    _export(RankGraph(ranker), read, [PREDICTIONS], folder / f"{RANK}.onnx", rows)


def _rows(name: str) -> int:
    """The axis of candidates in what the rank graph reads for each of them."""
    return -2 if name.startswith(RECTIFIED) else 0


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
    per_candidate: Mapping[str, int],
) -> None:
    """Arrays named in `per_candidate` have any number of candidates along that axis; all others keep their shape."""
    rows = torch.export.Dim("candidate")

    def rule(name: str, one: Tensor) -> object:
        return {per_candidate[name] % one.dim(): rows} if name in per_candidate else None

    names: list[str] = []
    shapes: dict[str, object] = {}
    for name, value in given.items():
        if isinstance(value, Tensor):
            names.append(NAMES.get(name, name))
            shapes[name] = rule(name, value)
        else:
            names += value
            shapes[name] = {each: rule(each, one) for each, one in value.items()}
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

    def run(name: str, given: Arrays) -> dict[str, NDArray[np.float32]]:
        wanted, told = ([one.name for one in of()] for of in (sessions[name].get_inputs, sessions[name].get_outputs))
        return dict(zip(told, sessions[name].run(None, {one: given[one] for one in wanted}), strict=True))

    request = run(REQUEST, {name: np.array(array[:1]) for name, array in arrays.items()})
    candidates = run(CANDIDATE, arrays)[CANDIDATE_HALF]
    layout = Layout({one.name: one.shape for one in sessions[RANK].get_inputs()}, Precision.FLOAT32)
    sums = Sums(layout, len(candidates))
    sums.add(request[REQUEST_HALF], candidates, np.arange(len(candidates), dtype=np.int32))
    return run(RANK, arrays | request | sums.arrays)[PREDICTIONS]
