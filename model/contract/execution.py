"""Execution: an exported graph, opened to be run: by ONNX Runtime, or in reduced precision by OpenVINO."""

import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from model.contract.bfloat16 import is_bfloat16
from model.contract.features.interface import Arrays
from model.contract.mistakes import mistake
from model.contract.serving import Precision
from model.contract.sums import Layout, Sums

Floats = NDArray[np.float32]


class Graph(ABC):
    """Safe to run from many threads at once. `inputs` are the names and shapes of what it reads: the exporter drops
    what the graph does not. `precision` is that in which a rank graph reads the sums of halves.
    """

    precision: ClassVar[Precision]

    def __init__(self, inputs: Mapping[str, Sequence[Any]]) -> None:
        self.inputs, self.layout = inputs, Layout(inputs, self.precision)
        self._of_thread = threading.local()

    def sums(self, num_rows: int) -> Sums:
        """Room for what a rank graph reads of the halves of so many candidates. It is the thread's, and next time the
        same if it fits: it stays in the cache.
        """
        sums: Sums | None = getattr(self._of_thread, "sums", None)
        if sums is None or sums.num_rows != num_rows:
            sums = self._of_thread.sums = Sums(self.layout, num_rows)
        return sums

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
        super().__init__({one.name: one.shape for one in self.session.get_inputs()})

    def run(self, arrays: Arrays, *outputs: str) -> list[Floats]:
        return list(self.session.run(outputs, {name: arrays[name] for name in self.inputs}))


class Bfloat16Graph(Graph):
    precision = Precision.BFLOAT16

    def __init__(self, path: Path, num_threads: int) -> None:
        """`why_not` must have had nothing to say."""
        settings = {"INFERENCE_PRECISION_HINT": "bf16", "INFERENCE_NUM_THREADS": num_threads, "NUM_STREAMS": 1}
        self._openvino, core = _openvino(), _openvino().Core()
        # An input that is passed on unchanged also has the name of an inner value; those have a slash.
        model = core.read_model(str(path))
        names = [next(name for name in one.get_names() if "/" not in name) for one in model.inputs]
        shapes = [[axis.get_length() if axis.is_static else None for axis in one.partial_shape] for one in model.inputs]
        super().__init__(dict(zip(names, shapes, strict=True)))
        prepared = self._openvino.preprocess.PrePostProcessor(model)
        for part in self.layout.parts:
            prepared.input(part.name).tensor().set_element_type(self._openvino.Type.bf16)
        self._compiled = core.compile_model(prepared.build(), "CPU", settings)

    def run(self, arrays: Arrays, *outputs: str) -> list[Floats]:
        if not hasattr(self._of_thread, "request"):
            self._of_thread.request = self._compiled.create_infer_request()
        # Tensors use the arrays' memory and do not keep it. `infer` takes arrays, and longer than all of this.
        given = [np.require(arrays[name], requirements=("C", "W")) for name in self.inputs]
        request = self._of_thread.request
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
