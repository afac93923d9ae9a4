"""Features that are stored beside the bundle: written, shown and deleted, one user or video at a time."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import unquote_to_bytes

import orjson
from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.convertors import PathConvertor, register_url_convertor

from model.contract.mistakes import mistake, quote
from model.contract.request import LONGEST_ID
from model.contract.stored_features import (
    FORMS,
    Document,
    Entity,
    UserFeatures,
    VideoFeatures,
    check_stored,
    write_document,
)
from service.errors import NothingStored
from service.feature_store.interface import FeatureStore
from service.http import examples
from service.http.body import read
from service.http.guarded import needs
from service.http.media import Media, MediaType, UnsupportedBody
from service.http.wired import Live, Store
from service.protection.scope import Scope
from service.registry.live import LiveBundle

router = APIRouter(prefix="/v1/features", tags=["features"], route_class=needs(Scope.FEATURES))
WRONG_ID = "the id in the path"


class _Text(PathConvertor):
    """What `path` is, but with line breaks."""

    regex = "(?s:.*)"


register_url_convertor("text", _Text())


async def _id(
    request: Request,
    one: Annotated[str, Path(alias="id", json_schema_extra={"minLength": 1, "maxLength": LONGEST_ID})],
) -> str:
    """What the path names, which may hold anything, slashes too. Raises InputError."""
    try:
        unquote_to_bytes(request.scope["raw_path"]).decode()
    except UnicodeDecodeError:  # the server has put the same sign for whatever it could not read
        raise mistake(WRONG_ID, "UTF-8, percent-encoded", "other bytes") from None
    if not 1 <= len(one) <= LONGEST_ID:
        raise mistake(WRONG_ID, f"1 to {LONGEST_ID} characters", quote(one) if one else "none")
    return one


Id = Annotated[str, Depends(_id)]


@router.put("/users/{id:text}", status_code=204, responses=examples.PUT_FEATURES, openapi_extra=examples.USER_BODY)
async def put_user(request: Request, one: Id, live: Live, store: Store) -> Response:
    """Replace what is stored of a user. It lies over what the bundle has, and under what a request gives."""
    return await _put(Entity.USERS, request, one, live, store)


@router.put("/videos/{id:text}", status_code=204, responses=examples.PUT_FEATURES, openapi_extra=examples.VIDEO_BODY)
async def put_video(request: Request, one: Id, live: Live, store: Store) -> Response:
    """Replace what is stored of a video, which may be new: it is ranked by these features from the next request on."""
    return await _put(Entity.VIDEOS, request, one, live, store)


@router.get("/users/{id:text}", response_model=UserFeatures, responses=examples.GET_USER)
async def get_user(one: Id, store: Store) -> Response:
    """What is stored of a user, beside the bundle."""
    return await _get(lambda: store.read(one, []).user)


@router.get("/videos/{id:text}", response_model=VideoFeatures, responses=examples.GET_VIDEO)
async def get_video(one: Id, store: Store) -> Response:
    """What is stored of a video, beside the bundle."""
    return await _get(lambda: store.read(None, [one]).videos.get(one))


@router.delete("/users/{id:text}", status_code=204, responses=examples.DELETE_FEATURES)
async def delete_user(one: Id, store: Store) -> Response:
    """Go back to what the bundle has, if anything is stored."""
    return await _write(Entity.USERS, one, None, store)


@router.delete("/videos/{id:text}", status_code=204, responses=examples.DELETE_FEATURES)
async def delete_video(one: Id, store: Store) -> Response:
    """Go back to what the bundle has, if anything is stored."""
    return await _write(Entity.VIDEOS, one, None, store)


async def _put(entity: Entity, request: Request, one: str, live: LiveBundle, store: FeatureStore) -> Response:
    schema = live.ranker.bundle.schema
    if Media.of(request).sent is not MediaType.JSON:
        raise UnsupportedBody(f"Expected Content-Type {MediaType.JSON}, found {MediaType.ARROW}.")
    stored = read(FORMS[entity], await request.body())
    check_stored(entity, stored, schema)
    return await _write(entity, one, write_document(stored), store)


# In a thread that ranks nothing: writing waits for the disk.
async def _write(entity: Entity, one: str, document: bytes | None, store: FeatureStore) -> Response:
    await run_in_threadpool(store.write, entity, one, document)
    return Response(status_code=204)


async def _get(find: Callable[[], Document | None]) -> Response:
    document = await run_in_threadpool(find)
    if document is None:
        raise NothingStored("Nothing is stored of this id; what the bundle has of it is not shown here.")
    return Response(orjson.dumps(document), media_type=MediaType.JSON)
