"""The wire format of the protocol's answers."""

from pydantic import BaseModel, ConfigDict, Field

from service.ranking.tensors import Datatype


class ServerMetadata(BaseModel):
    name: str
    version: str
    extensions: list[str]


class ServerLive(BaseModel):
    live: bool


class ServerReady(BaseModel):
    ready: bool


class ModelReady(BaseModel):
    name: str
    ready: bool


class TensorMetadata(BaseModel):
    name: str
    datatype: Datatype
    shape: list[int] = Field(description="-1 is any size: the rows")


class ModelMetadata(BaseModel):
    """`inputs` of users, queries and contexts have one row, or one a candidate; the others one a candidate."""

    model_config = ConfigDict(protected_namespaces=())

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class OutputTensor(BaseModel):
    name: str
    shape: list[int]
    datatype: Datatype
    data: list[float | None] = Field(description="null where it is not finite")


class InferResponse(BaseModel):
    """An output a task: its calibrated predictions, in its unit."""

    model_config = ConfigDict(protected_namespaces=())

    model_name: str
    model_version: str
    id: str | None = Field(default=None, description="that of the request, if it has one")
    outputs: list[OutputTensor]
