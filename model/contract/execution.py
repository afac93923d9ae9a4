"""Execution: an exported graph, opened to be run: by ONNX Runtime, or in reduced precision by OpenVINO."""

import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from model.contract.bfloat16 import is_bfloat16, widened
from model.contract.features.interface import Arrays
from model.contract.graphs import CANDIDATE_HALF
from model.contract.mistakes import mistake
from model.contract.serving import Precision

Floats = NDArray[np.float32]


class Graph(ABC):
    """Safe to run from many threads at once. `inputs` are what it reads: the exporter drops what the graph does not.

    Candidates' halves may be of either precision; `precision` is that in which a bundle for this graph keeps them.
    """

    precision: ClassVar[Precision]
    inputs: Sequence[str]

    @abstractmethod
    def run(self, arrays: Arrays, *outputs: str) -> list[Floats]:
        """The outputs of these names; arrays that it does not read may be among those given."""


class Float32Graph(Graph):
    precision = Precision.FLOAT32

    def __init__(self, path: Path, num_threads: int) -> None:
        """Raises InputError where ONNX Runtime cannot load it."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # warnings about its own optimiser are no news for an operator
        # Threads that wait must not burn the core on which another request runs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self.session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own classes have no common base
            raise mistake(
                str(path), "a graph that ONNX Runtime can load", f"{type(error).__name__}: {error}"
            ) from error
        self.inputs = [one.name for one in self.session.get_inputs()]

    def run(self, arrays: Arrays, *outputs: str) -> list[Floats]:
        given = {name: arrays[name] for name in self.inputs}
        wide = {name: widened(array) if is_bfloat16(array) else array for name, array in given.items()}
        return list(self.session.run(outputs, wide))


class Bfloat16Graph(Graph):
    precision = Precision.BFLOAT16

    def __init__(self, path: Path, num_threads: int) -> None:
        """`why_not` must have had nothing to say."""
        settings = {"INFERENCE_PRECISION_HINT": "bf16", "INFERENCE_NUM_THREADS": num_threads, "NUM_STREAMS": 1}
        self._openvino, core = _openvino(), _openvino().Core()
        # An input that is passed on unchanged also has the name of an inner value; those have a slash.
        model = core.read_model(str(path))
        self.inputs = [next(name for name in one.get_names() if "/" not in name) for one in model.inputs]
        wide = core.compile_model(model, "CPU", settings)
        prepared = self._openvino.preprocess.PrePostProcessor(model)
        if CANDIDATE_HALF in self.inputs:
            prepared.input(CANDIDATE_HALF).tensor().set_element_type(self._openvino.Type.bf16)
        self._wide_and_narrow = [wide, core.compile_model(prepared.build(), "CPU", settings)]
        self._of_thread = threading.local()

    def run(self, arrays: Arrays, *outputs: str) -> list[Floats]:
        if not hasattr(self._of_thread, "requests"):
            self._of_thread.requests = [one.create_infer_request() for one in self._wide_and_narrow]
        # Tensors use the arrays' memory and do not keep it. `infer` takes arrays, and longer than all of this.
        given = [np.require(arrays[name], requirements=("C", "W")) for name in self.inputs]
        request = self._of_thread.requests[any(map(is_bfloat16, given))]
        request.set_input_tensors(dict(enumerate(map(self._tensor, given))))
        found = request.infer()  # copies: the request writes its next outputs to the same place
        return [found[name] for name in outputs]

    def _tensor(self, array: NDArray[Any]) -> Any:
        if is_bfloat16(array):
            return self._openvino.Tensor(array, array.shape, self._openvino.Type.bf16)
        return self._openvino.Tensor(array, shared_memory=True)


GRAPHS: dict[Precision, type[Float32Graph] | type[Bfloat16Graph]] = {
    one.precision: one for one in (Float32Graph, Bfloat16Graph)
}


def why_not(precision: Precision) -> str | None:
    """What keeps this machine from it; None where nothing does."""
    if precision is Precision.FLOAT32:
        return None
    try:
        can = _openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except ImportError:
        return "OpenVINO is not installed (pip install 'watchnext[bfloat16]')"
    return None if "BF16" in can else "this processor has no bfloat16 instructions"


def _openvino() -> Any:
    # It reports its use to its maker where it finds the module that does so. Ours reports to nobody.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino
