"""The protocol's endpoints, so that its tools can probe the live version and call it on encoded rows."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from model.contract.mistakes import quote
from service.errors import NoSuchModel
from service.http.body import parse
from service.http.guarded import Open, needs
from service.http.media import Media, MediaType, UnsupportedBody
from service.http.probes import readyz
from service.http.problem import INFERENCE
from service.http.v2 import examples
from service.http.v2.answers import inference_json, metadata
from service.http.v2.schemas import InferResponse, ModelMetadata, ModelReady, ServerLive, ServerMetadata, ServerReady
from service.http.wired import Live, RankingAdmission, Traced, Wired
from service.protection.scope import Scope
from service.ranking.infer import infer
from service.ranking.ranker import Ranker
from service.ranking.tensors import InferRequest
from service.telemetry.trace import Trace

router = APIRouter(prefix=INFERENCE, tags=["open inference protocol"], route_class=needs(Scope.RANK))
probes = APIRouter(route_class=Open)
# The same for the live model, and for a version of it.
model, model_probe = APIRouter(route_class=needs(Scope.RANK)), APIRouter(route_class=Open)


async def _named(live: Live, name: str) -> Ranker:
    """Raises NoSuchModel, or NotReady."""
    ranker = live.ranker
    if name != ranker.bundle.manifest.name:
        raise NoSuchModel(f"expected `{ranker.bundle.manifest.name}`, found {quote(name)}")
    return ranker


Named = Annotated[Ranker, Depends(_named)]


async def _is_live(ranker: Named, version: str) -> None:
    if version != ranker.bundle.manifest.version:
        expected = f"version `{ranker.bundle.manifest.version}`, which is live"
        raise NoSuchModel(f"expected {expected}, found {quote(version)}")


@router.get("", responses=examples.SERVER)
async def describe_server(request: Request) -> ServerMetadata:
    return ServerMetadata(name="watchnext", version=request.app.version, extensions=[])


@probes.get("/health/live", responses=examples.LIVE)
async def is_alive() -> ServerLive:
    """As /healthz."""
    return ServerLive(live=True)


@probes.get("/health/ready", responses=examples.READY, dependencies=[Depends(readyz)])
async def is_ready() -> ServerReady:
    """As /readyz: 503 with the reason where it is not."""
    return ServerReady(ready=True)


@model.get("", responses=examples.METADATA)
async def describe_model(ranker: Named) -> ModelMetadata:
    """The encoded arrays that the live version reads, and the tasks that it predicts."""
    return metadata(ranker.bundle)


@model_probe.get("/ready", responses=examples.MODEL_READY, dependencies=[Depends(readyz)])
async def is_model_ready(ranker: Named) -> ModelReady:
    return ModelReady(name=ranker.bundle.manifest.name, ready=True)


@model.post(
    "/infer",
    response_model=InferResponse,
    responses=examples.INFERRED,
    openapi_extra={"requestBody": examples.INFER_REQUEST},
)
async def infer_rows(
    request: Request, ranker: Named, settings: Wired, admission: RankingAdmission, trace: Traced
) -> Response:
    """Predict every task for rows that are encoded already. Policies and warnings are those of /v1/rank."""
    if Media.of(request).sent is not MediaType.JSON:
        raise UnsupportedBody(f"Expected Content-Type {MediaType.JSON}, found {MediaType.ARROW}.")
    answer = partial(_answer, ranker, settings.max_candidates, trace)
    return await admission.run(request, answer)


def _answer(ranker: Ranker, max_rows: int, trace: Trace, body: bytes) -> Response:
    trace.version = ranker.bundle.manifest.version
    request = parse(InferRequest, body, trace, id_field="id")
    predictions = infer(request, ranker, max_rows)
    trace.num_candidates = len(predictions)
    return Response(inference_json(request, predictions, ranker.bundle), media_type=MediaType.JSON)


router.include_router(probes)
for one in (model, model_probe):
    router.include_router(one, prefix="/models/{name}")
    router.include_router(one, prefix="/models/{name}/versions/{version}", dependencies=[Depends(_is_live)])
