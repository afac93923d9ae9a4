"""Version 1 of the API."""

import asyncio
from functools import partial

from fastapi import APIRouter, Request, Response

from service.http import examples
from service.http.answers import model_response
from service.http.formats import FORMATS
from service.http.media import Media
from service.http.schemas import ModelResponse, RankResponse
from service.http.wired import Live, Threads, Traced, Wired
from service.ranking.checks import check_limits
from service.ranking.pipeline import rank
from service.ranking.ranker import Ranker
from service.ranking.trail import Stage
from service.telemetry.trace import Trace

router = APIRouter(prefix="/v1", tags=["ranking"])


@router.post(
    "/rank",
    response_model=RankResponse,
    responses={
        200: examples.RANKED,
        400: examples.MALFORMED,
        413: examples.TOO_LARGE,
        415: examples.UNSUPPORTED,
        422: examples.INVALID,
        503: examples.NOT_READY,
    },
    openapi_extra={"requestBody": examples.RANK_REQUEST},
)
async def rank_candidates(request: Request, live: Live, settings: Wired, threads: Threads, trace: Traced) -> Response:
    """Order candidates for one user. Unknown users, videos and categories are ranked too, and named in `warnings`."""
    ranker = live.ranker
    media = Media.of(request)
    body = await request.body()
    # In a thread: the event loop must stay free to accept requests and to answer probes.
    answer = partial(_answer, body, media, ranker, settings.max_candidates, trace)
    return await asyncio.get_running_loop().run_in_executor(threads, answer)


def _answer(body: bytes, media: Media, ranker: Ranker, max_candidates: int, trace: Trace) -> Response:
    trace.trail.end(Stage.WAIT)
    trace.version = ranker.bundle.manifest.version
    request = trace.trail.after(Stage.PARSE, FORMATS[media.sent].read(body, trace))
    trace.num_candidates = len(request.ids)
    check_limits(request, max_candidates)
    ranking = rank(request, ranker, trace.trail)
    answer = FORMATS[media.wanted].write(ranking, trace.request_id, ranker.bundle.manifest)
    trace.trail.end(Stage.WRITE)
    return Response(answer, media_type=media.wanted)


@router.get("/model", responses={200: examples.MODEL, 503: examples.NOT_READY})
async def describe_model(live: Live, settings: Wired) -> ModelResponse:
    """What the live version predicts, from which features, by which policies."""
    return model_response(live.ranker.bundle.manifest, settings)
