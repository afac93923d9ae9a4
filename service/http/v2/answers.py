"""Answers: what the live bundle is, and what it predicted, in the protocol's words."""

from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from model.contract.bundle import Bundle
from service.http.v2.schemas import ModelMetadata, TensorMetadata
from service.ranking.tensors import OPEN, Datatype, InferRequest, inputs_of

PLATFORM = "onnx_onnxruntime"  # the protocol's own word for ONNX graphs in ONNX Runtime


def metadata(bundle: Bundle) -> ModelMetadata:
    return ModelMetadata(
        name=bundle.manifest.name,
        versions=[bundle.manifest.version],
        platform=PLATFORM,
        inputs=[
            TensorMetadata(name=name, datatype=one.datatype, shape=[OPEN, *one.row_shape])
            for name, one in inputs_of(bundle).items()
        ],
        outputs=[TensorMetadata(name=one.name, datatype=Datatype.FLOATS, shape=[OPEN, 1]) for one in bundle.tasks],
    )


def inference_json(request: InferRequest, predictions: NDArray[np.float32], bundle: Bundle) -> bytes:
    """An InferResponse. `predictions` `[row, task]`; what is not finite becomes null."""
    columns = {task.name: np.ascontiguousarray(predictions[:, at]) for at, task in enumerate(bundle.tasks)}
    wanted = columns if request.outputs is None else [one.name for one in request.outputs]
    about: dict[str, Any] = {"model_name": bundle.manifest.name, "model_version": bundle.manifest.version}
    if request.id is not None:
        about["id"] = request.id
    outputs = [
        {"name": name, "shape": [len(columns[name]), 1], "datatype": Datatype.FLOATS, "data": columns[name]}
        for name in wanted
    ]
    return orjson.dumps(about | {"outputs": outputs}, option=orjson.OPT_SERIALIZE_NUMPY)
