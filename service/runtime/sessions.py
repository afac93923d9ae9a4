"""Runtime: the three graphs of one bundle as ONNX Runtime sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from model.contract.bundle import Bundle
from model.contract.features.interface import Arrays
from model.contract.graphs import BIAS_LOGITS, CANDIDATE, CANDIDATE_HALF, PREDICTIONS, RANK, REQUEST, REQUEST_HALF
from model.contract.mistakes import mistake
from service.runtime.signatures import check_inputs, check_outputs, check_passed_on, expected_signatures

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Graph:
    """A session and what it reads: the exporter drops inputs that the graph does not use."""

    session: Any
    inputs: Sequence[str]

    def run(self, arrays: Arrays, *outputs: str) -> list[Floats]:
        return list(self.session.run(outputs, {name: arrays[name] for name in self.inputs}))


class Runtime:
    """Safe to call from many threads at once."""

    def __init__(self, bundle: Bundle, num_threads: int) -> None:
        """Raises InputError where a graph is not what the bundle's schema promises."""
        signatures = expected_signatures(bundle)
        graphs = {name: _open(bundle.graph(name), num_threads) for name in signatures}
        for name, signature in signatures.items():
            check_inputs(str(bundle.graph(name)), graphs[name].session.get_inputs(), signature.inputs)
            check_outputs(str(bundle.graph(name)), graphs[name].session.get_outputs(), signature.outputs)
        given, read = graphs[REQUEST].session.get_outputs(), graphs[RANK].session.get_inputs()
        check_passed_on(str(bundle.graph(REQUEST)), given, read)
        self._request, self._candidate, self._rank = (graphs[name] for name in (REQUEST, CANDIDATE, RANK))

    def halve_request(self, request: Arrays) -> Arrays:
        """One encoded request, with one row, to what `predict` needs of it."""
        half, bias = self._request.run(request, REQUEST_HALF, BIAS_LOGITS)
        return {REQUEST_HALF: half, BIAS_LOGITS: bias}

    def halve_candidates(self, candidates: Arrays) -> Floats:
        """`[candidate, dim]` of encoded candidates."""
        [half] = self._candidate.run(candidates, CANDIDATE_HALF)
        return half

    def predict(self, halves: Arrays, pairs: Arrays) -> Floats:
        """`[candidate, task]`, calibrated, in each task's unit and in the order of the manifest's tasks."""
        [predictions] = self._rank.run(halves | pairs, PREDICTIONS)
        return predictions


def _open(path: Path, num_threads: int) -> Graph:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # warnings about its own optimiser are no news for an operator
    # Threads that wait must not burn the core on which another request runs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own classes have no common base
        raise mistake(str(path), "a graph that ONNX Runtime can load", f"{type(error).__name__}: {error}") from error
    return Graph(session, [one.name for one in session.get_inputs()])
