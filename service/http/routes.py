"""Version 1 of the API."""

from functools import partial

from fastapi import APIRouter, Request, Response

from model.contract.answer import ModelResponse, RankResponse
from service.feature_store.interface import FeatureStore
from service.http.admission import Admission
from service.http.answers import model_response
from service.http.examples import ranking, refusals
from service.http.formats import FORMATS
from service.http.guarded import Direct, needs
from service.http.media import Media
from service.http.wired import Live, Wired
from service.protection.scope import Scope
from service.ranking.checks import check_limits
from service.ranking.pipeline import rank
from service.ranking.trail import Stage
from service.registry.live import LiveBundle
from service.telemetry.trace import Trace

router = APIRouter(prefix="/v1", tags=["ranking"], route_class=needs(Scope.RANK))


async def rank_candidates(request: Request) -> Response:
    """Order candidates for one user. Unknown users, videos and categories are ranked too, and named in `warnings`."""
    wired = request.app.state
    _ = wired.live.ranker  # nobody sends a body in vain
    media = Media.of(request)
    answer = partial(_answer, media, wired.live, wired.store, wired.settings.max_candidates, request.state.trace)
    admission: Admission = wired.ranking
    return await admission.run(request, answer)


def _answer(
    media: Media, live: LiveBundle, store: FeatureStore, max_candidates: int, trace: Trace, body: bytes
) -> Response:
    trace.trail.end(Stage.WAIT)
    request = trace.trail.after(Stage.PARSE, FORMATS[media.sent].read(body, trace))
    ranker = live.choose(request.user.id)
    trace.version = ranker.bundle.manifest.version
    trace.num_candidates = len(request.ids)
    check_limits(request, max_candidates)
    ranking = rank(request, ranker, store, trace.trail)
    live.note(request, ranking, ranker)
    answer = FORMATS[media.wanted].write(ranking, trace.request_id, ranker.bundle.manifest)
    trace.trail.end(Stage.WRITE)
    return Response(answer, media_type=media.wanted)


rank_route = needs(Scope.RANK, Direct)(
    "/v1/rank",
    rank_candidates,
    methods=["POST"],
    tags=["ranking"],
    response_model=RankResponse,
    responses={
        200: ranking.RANKED,
        400: refusals.MALFORMED,
        415: refusals.UNSUPPORTED,
        422: refusals.INVALID,
        **refusals.ADMITTED,
    },
    openapi_extra={"requestBody": ranking.RANK_REQUEST},
)


@router.get("/model", responses={200: ranking.MODEL, 503: refusals.NOT_READY})
async def describe_model(live: Live, settings: Wired) -> ModelResponse:
    """What the live version predicts, from which features, by which policies."""
    return model_response(live.ranker.bundle.manifest, settings)
